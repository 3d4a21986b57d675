// A Hardhat project whose network is a running node: NODE_URL. Compiler and folders come from outside, so that nothing
// is downloaded.
import hardhatEthers from '@nomicfoundation/hardhat-ethers';
import hardhatNetworkHelpers from '@nomicfoundation/hardhat-network-helpers';
import hardhatNodeTestRunner from '@nomicfoundation/hardhat-node-test-runner';

const folder = process.env.HARDHAT_FOLDER;

export default {
  plugins: [hardhatEthers, hardhatNetworkHelpers, hardhatNodeTestRunner],
  solidity: {
    version: process.env.SOLC_VERSION,
    path: process.env.SOLC,
    settings: { evmVersion: 'cancun' },
  },
  paths: { artifacts: `${folder}/artifacts`, cache: `${folder}/cache` },
  networks: { xinglin: { type: 'http', chainType: 'l1', url: process.env.NODE_URL } },
};
