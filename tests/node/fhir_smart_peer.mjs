// fhir_smart_peer.mjs BASE TOKEN: what npm's fhirclient, the library of SMART apps, does with a FHIR server.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const { default: NodeAdapter } = createRequire(import.meta.url)('fhirclient/lib/adapters/NodeAdapter');
const [serverUrl, token] = process.argv.slice(2);
const storage = { get: async () => undefined, set: async (_, value) => value, unset: async () => true };
const request = { headers: {}, url: '/', socket: {} };
const client = new NodeAdapter({ request, response: {}, storage }).getSmartApi()
  .client({ serverUrl, tokenResponse: { access_token: token } });

const made = await client.create({ resourceType: 'Patient', name: [{ family: 'Smart' }] });
assert.equal((await client.request(`Patient/${made.id}`)).id, made.id);
await client.update({ ...made, gender: 'other' });
await client.patch(`Patient/${made.id}`, [{ op: 'replace', path: '/gender', value: 'male' }]);
const subject = { reference: `Patient/${made.id}` };
const seen = await client.create({ resourceType: 'Observation', status: 'final', code: { text: 'x' }, subject });
const resolved = await client.request(`Observation/${seen.id}`, { resolveReferences: ['subject'] });
assert.equal(resolved.subject.id, made.id);
for (let n = 0; n < 3; n++) await client.create({ resourceType: 'Patient', name: [{ family: 'SmartPage' }] });
const all = await client.request('Patient?family=SmartPage&_count=1', { pageLimit: 0, flat: true });
assert.equal(all.length, 3);
await client.delete(`Patient/${made.id}`);
await assert.rejects(client.request(`Patient/${made.id}`), (error) => error.status === 410);
console.log('ok');
