// The same for a page: `clients/browser`.
import { munjigi, type Info } from '../../../browser/munjigi.js';

const gate = munjigi({ onEnd: () => location.assign('/user/login') });
export const info: Promise<Info> = gate.info();
export const name = info.then(({ user }) => user?.name);
export const answer: Promise<Response> = gate.fetch('/notes', { method: 'POST', body: 'x' });
export const signedIn: Promise<boolean> = gate.renew();
// @ts-expect-error: nobody may be signed in
export const hasty = info.then(({ user }) => user.name);
// @ts-expect-error: it has no such option
munjigi({ feedToken: 'x' });
