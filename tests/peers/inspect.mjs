// What tools ask to look inside a chain, through the tool's own connection: `ask(method, params)`. Given are a contract whose slot 0 holds
// `value` since `transaction`, which was its block's only one, and `data`, a call of its that changes slot 0. Gives
// scenario to "ok" or why not.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { verify } from './proof.mjs';

const { ethers } = createRequire(new URL('../node/package.json', import.meta.url))('ethers');
const { keccak256, toBeHex, zeroPadValue } = ethers;
const SLOT = '0x' + '00'.repeat(32);
const lower = (text) => text.toLowerCase();

export async function inspect(ask, { contract, transaction, value, data, sender }) {
  contract = lower(contract);
  sender = lower(sender);
  const call = { from: sender, to: contract, data };
  const receipt = await ask('eth_getTransactionReceipt', [transaction]);
  const block = await ask('eth_getBlockByHash', [receipt.blockHash, true]);
  const word = zeroPadValue(toBeHex(value), 32);
  const trace = (config) => ask('debug_traceTransaction', [transaction, config]);

  const scenarios = {
    async proof() {
      const proof = await ask('eth_getProof', [contract, [SLOT, toBeHex(77, 32)], block.number]);
      verify(block.stateRoot, proof);
      assert.deepEqual(proof.storageProof.map((slot) => BigInt(slot.value)), [BigInt(value), 0n]);
      assert.throws(() => verify(block.parentHash, proof));
      proof.storageProof[0].value = '0x1234';
      assert.throws(() => verify(block.stateRoot, proof));
    },
    async feeHistory() {
      const history = await ask('eth_feeHistory', ['0x2', block.number, [0, 100]]);
      assert.equal(history.baseFeePerGas[1], block.baseFeePerGas);
      assert.equal(history.gasUsedRatio.length, 2);
      assert.equal(BigInt(history.reward[1][1]), BigInt(receipt.effectiveGasPrice) - BigInt(block.baseFeePerGas));
    },
    async accessList() {
      const { accessList, gasUsed } = await ask('eth_createAccessList', [call, 'latest']);
      assert.deepEqual(accessList.find((entry) => entry.address === contract).storageKeys, [SLOT]);
      const estimate = await ask('eth_estimateGas', [{ ...call, accessList }]);
      assert.ok(BigInt(estimate) >= BigInt(gasUsed));
    },
    async simulate() {
      const calls = [call, { to: contract, data: '0x3fa4f245' }];
      const [{ calls: [first, second] }] = await ask('eth_simulateV1', [{ blockStateCalls: [{ calls, stateOverrides: {
        [contract]: { code: '0x60075f555f545f5260205ff3' } } }] }, 'latest']); // sets slot 0 to 7 and returns it
      assert.deepEqual([first.status, second.returnData], ['0x1', toBeHex(7, 32)]);
    },
    async overrides() {
      const returnsSlot0 = { code: '0x5f545f5260205ff3', stateDiff: { [SLOT]: toBeHex(42, 32) } };
      assert.equal(await ask('eth_call', [{ to: contract }, 'latest', { [contract]: returnsSlot0 }]), toBeHex(42, 32));
      const returnsNumber = { code: '0x435f5260205ff3' };
      assert.equal(await ask('eth_call', [{ to: contract }, 'latest', { [contract]: returnsNumber },
        { number: '0x999' }]), toBeHex(0x999, 32));
    },
    async opcodeTracer() {
      const { gas, failed, structLogs } = await trace({});
      assert.deepEqual([gas, failed], [Number(receipt.gasUsed), false]);
      const step = structLogs.find(({ op }) => op === 'SSTORE');
      assert.equal(BigInt(step.stack.at(-1)), 0n);
      assert.equal(BigInt(step.stack.at(-2)), BigInt(value));
    },
    async callTracer() {
      const reported = await trace({ tracer: 'callTracer', tracerConfig: { withLog: true } });
      assert.deepEqual([reported.type, lower(reported.to), reported.gasUsed, reported.input.slice(0, 10)],
        ['CALL', contract, receipt.gasUsed, data.slice(0, 10)]);
      assert.deepEqual(reported.logs[0].topics, receipt.logs[0].topics);
    },
    async prestateTracer() {
      const { pre, post } = await trace({ tracer: 'prestateTracer', tracerConfig: { diffMode: true } });
      assert.equal(post[contract].storage[SLOT], word);
      assert.equal(BigInt(pre[receipt.from].nonce ?? 0) + 1n, BigInt(post[receipt.from].nonce));
      assert.ok((await trace({ tracer: 'prestateTracer' }))[contract].code.length > 2);
    },
    async fourByteTracer() {
      assert.deepEqual(await trace({ tracer: '4byteTracer' }), { [`${data.slice(0, 10)}-32`]: 1 });
    },
    async traceCall() {
      const reported = await ask('debug_traceCall', [call, 'latest', { tracer: 'callTracer' }]);
      assert.deepEqual([lower(reported.to), reported.error], [contract, undefined]);
      assert.ok((await ask('debug_traceCall', [call, 'latest', {}])).structLogs.length > 10);
    },
    async traceBlock() {
      const config = { tracer: 'callTracer' };
      const raw = await ask('debug_getRawBlock', [block.number]);
      const answers = await Promise.all([ask('debug_traceBlockByNumber', [block.number, config]),
        ask('debug_traceBlockByHash', [block.hash, config]), ask('debug_traceBlock', [raw, config])]);
      for (const [{ txHash, result }] of answers) assert.deepEqual([txHash, result], [transaction,
        await trace(config)]);
    },
    async raw() {
      assert.equal(keccak256(await ask('debug_getRawHeader', [block.number])), block.hash);
      const envelope = await ask('debug_getRawTransaction', [transaction]);
      assert.equal(keccak256(envelope), transaction);
      assert.equal(await ask('eth_getRawTransactionByHash', [transaction]), envelope);
      assert.ok((await ask('debug_getRawBlock', [block.hash])).includes(envelope.slice(2)));
      assert.equal((await ask('debug_getRawReceipts', [block.number])).length, 1);
    },
    async blockReceipts() {
      assert.deepEqual(await ask('eth_getBlockReceipts', [block.hash]), [receipt]);
    },
    async filters() {
      const all = await ask('eth_newFilter', [{ address: contract, fromBlock: block.number,
        topics: [receipt.logs[0].topics[0]] }]);
      const blocks = await ask('eth_newBlockFilter', []);
      const waiting = await ask('eth_newPendingTransactionFilter', []);
      const sent = await ask('eth_sendTransaction', [call]);
      let mined;
      while (!(mined = await ask('eth_getTransactionReceipt', [sent])));
      assert.deepEqual((await ask('eth_getFilterLogs', [all])).map((log) => log.transactionHash), [transaction, sent]);
      assert.deepEqual(await ask('eth_getFilterChanges', [blocks]), [mined.blockHash]);
      assert.deepEqual(await ask('eth_getFilterChanges', [waiting]), [sent]);
      for (const filter of [all, blocks, waiting]) assert.equal(await ask('eth_uninstallFilter', [filter]), true);
    },
    async poolAndPending() {
      await ask('anvil_dropAllTransactions', []);
      await ask('evm_setAutomine', [false]);
      const sent = await ask('eth_sendTransaction', [call]);
      assert.deepEqual(await ask('txpool_status', []), { pending: '0x1', queued: '0x0' });
      const [[waiting]] = Object.values((await ask('txpool_content', [])).pending).map(Object.values);
      const [from] = Object.values((await ask('txpool_contentFrom', [sender])).pending);
      assert.deepEqual([waiting.hash, from.hash, waiting.blockHash], [sent, sent, null]);
      assert.match(Object.values(Object.values((await ask('txpool_inspect', [])).pending)[0])[0], /0 wei \+ \d+ gas/);
      const pending = await ask('eth_getBlockByNumber', ['pending', false]);
      assert.deepEqual([pending.transactions, pending.hash], [[sent], null]);
      const [now, then] = await Promise.all(['latest', 'pending'].map((tag) => ask('eth_getBalance', [sender, tag])));
      await ask('evm_setAutomine', [true]);
      while (!(await ask('eth_getTransactionReceipt', [sent])));
      assert.equal(await ask('eth_getBalance', [sender, 'latest']), then);
      assert.notEqual(now, then);
    },
  };
  const answers = {};
  for (const [name, scenario] of Object.entries(scenarios))
    answers[name] = await scenario().then(() => 'ok', (error) => error.stack ?? String(error));
  return answers;
}
