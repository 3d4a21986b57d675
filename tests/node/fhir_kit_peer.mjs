// fhir_kit_peer.mjs BASE TOKEN: what npm's fhir-kit-client does with a FHIR server.
import assert from 'node:assert/strict';
import { Client } from 'fhir-kit-client';

const [baseUrl, bearerToken] = process.argv.slice(2);
const client = new Client({ baseUrl, bearerToken });
const patient = (family) => ({ resourceType: 'Patient', body: { resourceType: 'Patient', name: [{ family }], gender: 'male' } });

const { id } = await client.create(patient('Kit'));
const read = await client.read({ resourceType: 'Patient', id });
assert.equal(read.name[0].family, 'Kit');
await client.update({ resourceType: 'Patient', id, body: { ...read, gender: 'female' } });
assert.equal((await client.vread({ resourceType: 'Patient', id, version: '1' })).gender, 'male');
await client.patch({ resourceType: 'Patient', id, jsonPatch: [{ op: 'replace', path: '/gender', value: 'other' }] });
assert.equal((await client.search({ resourceType: 'Patient', searchParams: { family: 'Kit', _id: id } })).total, 1);
assert.equal((await client.history({ resourceType: 'Patient', id })).entry.length, 3);
assert.equal((await client.capabilityStatement()).fhirVersion, '4.0.1');
for (let n = 0; n < 3; n++) await client.create(patient('KitPage'));
let count = 0;
let page = await client.search({ resourceType: 'Patient', searchParams: { family: 'KitPage', _count: 1 } });
for (; page; page = await client.nextPage({ bundle: page })) count += page.entry.length;
assert.equal(count, 3);
const entry = [{ request: { method: 'GET', url: `Patient/${id}` } }];
assert.equal((await client.batch({ body: { resourceType: 'Bundle', type: 'batch', entry } })).entry[0].resource.id, id);
await client.delete({ resourceType: 'Patient', id });
await assert.rejects(client.read({ resourceType: 'Patient', id }), (error) => error.response.status === 410);
console.log('ok');
