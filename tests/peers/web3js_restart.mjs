// web3.js 4, unmodified, with filters and a subscription of a node that is restarted in the middle: node
// web3js_restart.mjs URL. It writes "ready", waits for a line while the node ends and comes again on the same port,
// writes "listening", and waits for a block. The last line is one JSON object, scenario to "ok" or why not.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const { Web3, WebSocketProvider } = createRequire(new URL('../node/package.json', import.meta.url))('web3');
const url = process.argv[2];
const web3 = new Web3(url);
const provider = new WebSocketProvider(url.replace('http', 'ws'));
const socket = new Web3(provider);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const ask = (method, ...params) => web3.requestManager.send({ method, params });

const soon = (promise, what) =>
  Promise.race([promise, new Promise((_, reject) => setTimeout(() => reject(new Error(`no ${what} within 20 s`)),
    20000).unref())]);

const [logs, blocks] = [await ask('eth_newFilter', {}), await ask('eth_newBlockFilter')];
const heads = await socket.eth.subscribe('newBlockHeaders');
const old = { id: heads.id, heard: 0 };
heads.on('data', () => { old.heard += 1; });
const ended = new Promise((resolve) => provider.on('disconnect', resolve));
console.log('ready');
await lines.next();

const scenarios = {
  async filters() {
    for (const id of [logs, blocks]) {
      await assert.rejects(ask('eth_getFilterChanges', id), ({ message, cause }) =>
        /filter not found/.test(`${message} ${cause?.message}`));
      assert.equal(await ask('eth_uninstallFilter', id), false);
    }
  },
  async subscriptions() {
    await soon(ended, 'word of the end');
    const connected = new Promise((resolve) => provider.on('connect', resolve));
    provider.connect(); // a node that stops says so (1001), and this client then waits for its user
    await soon(connected, 'connection');
    const anew = await socket.eth.subscribe('newBlockHeaders');
    assert.notEqual(anew.id, old.id);
    const head = new Promise((resolve) => anew.on('data', resolve));
    console.log('listening');
    const { number } = await soon(head, 'block');
    assert.equal(BigInt(number), await web3.eth.getBlockNumber());
    assert.equal(old.heard, 0);
    await assert.rejects(heads.unsubscribe(), /subscription not found|Subscription not found/);
    await anew.unsubscribe();
  },
};

const answers = {};
for (const [name, scenario] of Object.entries(scenarios)) {
  answers[name] = await scenario().then(() => 'ok', (error) => String(error.stack));
}
provider.disconnect();
console.log(JSON.stringify(answers));
process.exit(0); // timers of the library would keep it for minutes
