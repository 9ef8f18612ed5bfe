// What an app in TypeScript may write, and what not. Only read by the compiler: `npm run types`.
import { createServer } from 'node:http';
import express from 'express';
import { munjigi, requireUser, visitorOf, type Munjigi, type Options, type User, type Visitor } from 'munjigi';

const gate: Munjigi = munjigi({ issuer: 'https://id.example.com', feedToken: process.env.FEED_TOKEN ?? false, whenStale: 'refuse' });

const app = express();
app.use(gate);
app.get('/', (req, res) => {
  const user: User | undefined = req.user;
  const reason = visitorOf(req)?.reason;
  res.json({ name: user?.name, since: user?.loggedInAt.getTime(), ended: reason === 'ended' });
});
app.get('/notes', requireUser(), (req, res) => {
  res.send(req.user?.sessionId.toUpperCase());
});
// @ts-expect-error: it may be nobody
app.get('/hasty', (req) => req.user.name);

createServer((req, res) => gate(req, res, () => res.end('Connect')));

export async function handle(request: Request): Promise<Response> {
  const visitor: Visitor = await gate.authenticate(request);
  if (!visitor.user) return gate.refuse(request, visitor);
  return gate.carry(visitor, new Response(visitor.user.username));
}

// @ts-expect-error: whether log-outs count at once has to be said
export const silent: Options = { issuer: 'https://id.example.com' };
// @ts-expect-error: one of two
export const odd: Options = { issuer: 'https://id.example.com', feedToken: false, whenStale: 'sometimes' };
// @ts-expect-error: no such reason
export const reason: Visitor['reason'] = 'tired';
