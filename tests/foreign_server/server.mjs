// An authorization server that is not ours (oidc-provider), with an API of one resource behind it.
//
//   node server.mjs REDIRECT_URI     prints the port once it listens; ends with its stdin
//
// PKCE is required, refresh tokens rotate and are good once, access tokens live for five seconds, and every answer
// says who gives it. Whoever comes to the consent page is Ana, and Ana consents.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const require = createRequire(process.env.MODULES + '/');
const { default: Provider } = await import(pathToFileURL(require.resolve('oidc-provider')));

const redirect = process.argv[2];
const counts = { refreshes: 0, exchanges: 0, calls: 0, refused: 0 };
const scopes = ['calendar.events', 'calendar.calendarlist.readonly', 'calendar.calendars.readonly', 'calendar.readonly', 'calendar',
  'calendar.events.readonly', 'calendar.freebusy', 'calendar.events.freebusy'].map((name) => `https://www.googleapis.com/auth/${name}`);

const server = createServer(answer);
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
const issuer = `http://127.0.0.1:${server.address().port}`;
const provider = new Provider(issuer, {
  clients: [{
    client_id: 'switchboard', client_secret: 'a-secret-of-the-test', redirect_uris: [redirect],
    grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'],
    token_endpoint_auth_method: 'client_secret_post',
  }],
  scopes: ['openid', 'offline_access', ...scopes],
  pkce: { required: () => true },
  rotateRefreshToken: true,
  issueRefreshToken: async () => true,
  ttl: { AccessToken: 5, RefreshToken: 3600, AuthorizationCode: 60, Grant: 3600, Session: 3600, Interaction: 600 },
  features: { devInteractions: { enabled: false }, revocation: { enabled: true } },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  findAccount: async (_, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
  cookies: { keys: ['a-key-of-the-test'] },
});
provider.on('grant.success', (ctx) => {
  const kind = ctx.oidc.params.grant_type;
  if (kind === 'refresh_token') counts.refreshes += 1;
  else counts.exchanges += 1;
});
provider.on('grant.error', () => { counts.refused += 1; });
const callback = provider.callback();

async function answer(request, response) {
  const path = request.url.split('?')[0];
  try {
    if (path === '/counts') return json(response, 200, counts);
    if (path.startsWith('/interaction/')) return await consent(request, response);
    if (path.startsWith('/calendar/v3/')) return await api(request, response, path);
    return await callback(request, response);
  } catch (error) {
    console.error(error);
    json(response, 500, { error: String(error) });
  }
}

async function consent(request, response) {
  const { prompt, params, session } = await provider.interactionDetails(request, response);
  if (prompt.name === 'login') {
    return provider.interactionFinished(request, response, { login: { accountId: 'ana@example.com' } });
  }
  const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  return provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true });
}

async function api(request, response, path) {
  counts.calls += 1;
  const token = await provider.AccessToken.find((request.headers.authorization ?? '').replace('Bearer ', ''));
  if (!token || token.isExpired) return json(response, 401, { error: { code: 401, message: 'Invalid Credentials', status: 'UNAUTHENTICATED' } });
  const calendar = { kind: 'calendar#calendarListEntry', id: 'ana@example.com', summary: 'Ana', timeZone: 'Europe/Berlin', accessRole: 'owner', primary: true };
  if (path.endsWith('/calendarList')) return json(response, 200, { kind: 'calendar#calendarList', items: [calendar] });
  return json(response, 200, { ...calendar, kind: 'calendar#calendar', items: [] });
}

function json(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

console.log(server.address().port);
process.stdin.resume().on('end', () => process.exit(0));
