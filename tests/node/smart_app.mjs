// A SMART app on npm's `fhirclient`, and the browser in front of it: node smart_app.mjs FHIR_BASE PATIENT SCOPE.
// Launches standalone with PKCE, fills in the issuer's page, and prints what the app then reads, as JSON.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';

const smart = createRequire(import.meta.url)('fhirclient');
const [iss, patient, scope] = process.argv.slice(2);
const session = new Map();
const storage = {
  get: async (key) => session.get(key),
  set: async (key, value) => void session.set(key, value),
  unset: async (key) => session.delete(key),
};

async function read(client) {
  const other = await client.request('Patient/other').then(() => 200, (error) => error.status);
  const before = client.state.tokenResponse.access_token;
  await client.refresh();
  return {
    patient: client.patient.id,
    family: (await client.patient.read()).name[0].family,
    user: client.user.fhirUser,
    other,
    refreshed: client.state.tokenResponse.access_token !== before,
    scope: client.state.tokenResponse.scope,
  };
}

const server = createServer(async (request, response) => {
  const app = smart(request, response, storage);
  try {
    if (request.url.startsWith('/launch')) {
      await app.authorize({ iss, clientId: 'growth-chart', scope, redirectUri: '/app', pkceMode: 'required' });
    } else {
      response.end(JSON.stringify(await read(await app.ready())));
    }
  } catch (error) {
    response.statusCode = 500;
    response.end(String(error.stack));
  }
});

function fieldsOf(page) {
  const inputs = [...page.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)];
  return Object.fromEntries(inputs.map(([, name, value]) => [name, value.replaceAll('&amp;', '&')]));
}

async function browse(origin) {
  const manual = { redirect: 'manual' };
  const authorize = (await fetch(`${origin}/launch`, manual)).headers.get('location');
  const page = await (await fetch(authorize)).text();
  const body = new URLSearchParams({ ...fieldsOf(page), patient, user: 'Practitioner/lin' });
  const back = await fetch(new URL('/approve', authorize), { method: 'POST', body, ...manual });
  return (await fetch(back.headers.get('location'))).text();
}

server.listen(0, '127.0.0.1', async () => {
  console.log(await browse(`http://127.0.0.1:${server.address().port}`));
  server.close();
});
