// Hardhat 3, hardhat-ethers and every function of hardhat-network-helpers, unmodified, on a running node.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { network } from 'hardhat';
import { inspect } from '../../peers/inspect.mjs';

const { ethers, networkHelpers: helpers } = await network.create();
const { time } = helpers;
const stranger = ethers.getAddress('0x00000000000000000000000000000000000face5');
const YEAR = 365 * 86400;

async function deployed() {
  const [owner, other] = await ethers.getSigners();
  const counter = await ethers.deployContract('Counter', [YEAR]);
  await counter.waitForDeployment();
  return { counter, owner, other };
}

describe('hardhat-ethers', () => {
  it('knows the accounts', async () => {
    assert.equal((await ethers.getSigners()).length, 10);
    assert.equal((await ethers.provider.getNetwork()).chainId, 31337n);
  });
  it('deploys, calls, reads events', async () => {
    const { counter, owner, other } = await deployed();
    const receipt = await (await counter.connect(other).add(7)).wait();
    assert.equal(await counter.value(), 7n);
    const [event] = await counter.queryFilter(counter.filters.Counted(other.address));
    assert.equal(event.args.value, 7n);
    assert.equal(event.transactionHash, receipt.hash);
    assert.equal((await counter.queryFilter(counter.filters.Counted(owner.address))).length, 0);
  });
  it('names a contract\'s own error', async () => {
    const { counter } = await deployed();
    const because = { data: counter.interface.encodeErrorResult('TooMany', [101]) };
    await assert.rejects(counter.add.staticCall(101), because);
    await assert.rejects(counter.add(101), because);
  });
  it('looks inside', async () => {
    const { counter, owner } = await deployed();
    const { hash } = await (await counter.add(42)).wait();
    const reported = await inspect((method, params) => ethers.provider.send(method, params),
      { contract: await counter.getAddress(),
      transaction: hash, value: 42, data: counter.interface.encodeFunctionData('add', [1]), sender: owner.address });
    assert.deepEqual(reported, Object.fromEntries(Object.keys(reported).map((name) => [name, 'ok'])));
  });
});

describe('hardhat-network-helpers', () => {
  it('loadFixture goes back, and takes the time along', async () => {
    const first = await helpers.loadFixture(deployed);
    await first.counter.add(1);
    await assert.rejects(first.counter.open(), /too soon/);
    await time.increaseTo(await first.counter.opens());
    await first.counter.open();
    const second = await helpers.loadFixture(deployed);
    assert.equal(await second.counter.getAddress(), await first.counter.getAddress());
    assert.equal(await second.counter.value(), 0n);
    await helpers.mine();
    await assert.rejects(second.counter.open(), /too soon/);
    helpers.clearSnapshots();
    const third = await helpers.loadFixture(deployed);
    assert.notEqual(await third.counter.getAddress(), await first.counter.getAddress());
  });
  it('takeSnapshot restores again and again', async () => {
    const snapshot = await helpers.takeSnapshot();
    const height = await time.latestBlock();
    for (let i = 0; i < 2; i++) {
      await helpers.setBalance(stranger, 5n);
      await snapshot.restore();
      assert.equal(await ethers.provider.getBalance(stranger), 0n);
      assert.equal(await time.latestBlock(), height);
    }
  });
  it('mine, mineUpTo', async () => {
    const height = await time.latestBlock();
    await helpers.mine();
    const before = await time.latest();
    await helpers.mine(4, { interval: 60 });
    assert.equal(await time.latestBlock(), height + 5);
    assert.ok(await time.latest() >= before + 180);
    await helpers.mineUpTo(height + 500);
    assert.equal(await time.latestBlock(), height + 500);
  });
  it('time.increase, increaseTo, setNextBlockTimestamp, latest', async () => {
    const before = await time.latest();
    assert.equal(await time.increase(time.duration.days(2)), before + 2 * 86400);
    assert.equal(await time.latest(), before + 2 * 86400);
    await time.increaseTo(before + 3 * 86400);
    assert.equal(await time.latest(), before + 3 * 86400);
    await time.setNextBlockTimestamp(before + 4 * 86400);
    await helpers.mine();
    assert.equal(await time.latest(), before + 4 * 86400);
    await assert.rejects(time.increaseTo(before));
  });
  it('setBalance, setNonce, setCode, setStorageAt, getStorageAt', async () => {
    await helpers.setBalance(stranger, ethers.parseEther('3'));
    await helpers.setNonce(stranger, 9);
    await helpers.setCode(stranger, '0x5f545f5260205ff3');
    await helpers.setStorageAt(stranger, 0, 42);
    assert.equal(await ethers.provider.getBalance(stranger), ethers.parseEther('3'));
    assert.equal(await ethers.provider.getTransactionCount(stranger), 9);
    assert.equal(BigInt(await ethers.provider.call({ to: stranger })), 42n);
    assert.equal(BigInt(await helpers.getStorageAt(stranger, 0)), 42n);
  });
  it('impersonateAccount, stopImpersonatingAccount', async () => {
    const { counter } = await deployed();
    await helpers.setCode(stranger, '0x');
    await helpers.setBalance(stranger, ethers.parseEther('1'));
    await helpers.impersonateAccount(stranger);
    const receipt = await (await counter.connect(await ethers.getSigner(stranger)).add(3)).wait();
    assert.equal(receipt.from, stranger);
    await helpers.stopImpersonatingAccount(stranger);
    const [owner] = await ethers.getSigners();
    await assert.rejects(ethers.provider.send('eth_sendTransaction', [{ from: stranger, to: owner.address }]),
      /unknown account/);
  });
  it('setCoinbase, setNextBlockBaseFeePerGas, setPrevRandao, setBlockGasLimit', async () => {
    const { gasLimit, miner } = await ethers.provider.getBlock('latest');
    await helpers.setCoinbase(stranger);
    await helpers.setNextBlockBaseFeePerGas(12345n);
    await helpers.setPrevRandao(99n);
    await helpers.setBlockGasLimit(20_000_000);
    await helpers.mine();
    const block = await ethers.provider.send('eth_getBlockByNumber', ['latest', false]);
    assert.equal(ethers.getAddress(block.miner), stranger);
    assert.deepEqual([block.baseFeePerGas, block.mixHash, block.gasLimit].map(BigInt), [12345n, 99n, 20_000_000n]);
    await helpers.setBlockGasLimit(gasLimit);
    await helpers.setCoinbase(miner);
  });
  it('dropTransaction', async () => {
    const [owner] = await ethers.getSigners();
    await ethers.provider.send('evm_setAutomine', [false]);
    const sent = await owner.sendTransaction({ to: stranger, value: 1n });
    assert.equal(await helpers.dropTransaction(sent.hash), true);
    assert.equal(await ethers.provider.getTransaction(sent.hash), null);
    await ethers.provider.send('evm_setAutomine', [true]);
  });
  it('hardhat_reset', async () => {
    await ethers.provider.send('hardhat_reset', []);
    assert.equal(await time.latestBlock(), 0);
  });
});
