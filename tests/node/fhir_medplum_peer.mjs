// fhir_medplum_peer.mjs BASE TOKEN: what npm's @medplum/core does with a FHIR server. Of a next link it keeps the query
// alone.
import assert from 'node:assert/strict';
import { MedplumClient } from '@medplum/core';

const [base, accessToken] = process.argv.slice(2);
const client = new MedplumClient({ baseUrl: `${new URL(base).origin}/`, fhirUrlPath: 'fhir', fetch, accessToken });

const identifier = [{ system: 'urn:medplum', value: '1' }];
const made = await client.createResource({ resourceType: 'Patient', name: [{ family: 'Med' }], identifier });
assert.equal((await client.readResource('Patient', made.id)).name[0].family, 'Med');
const again = await client.createResourceIfNoneExist({ resourceType: 'Patient', identifier }, 'identifier=urn:medplum|1');
assert.equal(again.id, made.id);
await client.updateResource({ ...made, gender: 'other' });
await client.patchResource('Patient', made.id, [{ op: 'replace', path: '/gender', value: 'male' }]);
assert.equal((await client.readHistory('Patient', made.id)).entry.length, 3);
for (let n = 0; n < 3; n++) await client.createResource({ resourceType: 'Patient', name: [{ family: 'MedPage' }] });
let count = 0;
for await (const page of client.searchResourcePages('Patient', { family: 'MedPage', _count: 1 })) count += page.length;
assert.equal(count, 3);
const entry = [{ request: { method: 'GET', url: `Patient/${made.id}` } }];
const answer = await client.executeBatch({ resourceType: 'Bundle', type: 'batch', entry });
assert.equal(answer.entry[0].response.status, '200 OK');
await client.deleteResource('Patient', made.id);
const gone = (error) => error.outcome.issue[0].code === 'deleted';
await assert.rejects(client.readResource('Patient', made.id, { cache: 'reload' }), gone);
console.log('ok');
