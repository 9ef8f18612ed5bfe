/** Keeps pages signed in at a Munjigi server: when the access token expires, one tab renews and tells the others. */
export function munjigi({ url = '', basePath = '/user', onEnd = () => {} } = {}) {
  const name = `munjigi ${url}${basePath}`;
  const channel = new BroadcastChannel(name);
  const patience = () => AbortSignal.timeout(9000);
  const wait = (millis) => new Promise((done) => setTimeout(done, millis));
  let due = NaN; // when the token expires; Infinity: nobody is signed in
  let timer, renewing;

  const ask = async (path, method) => {
    const init = { method, headers: { accept: 'application/json' }, credentials: 'include', signal: patience() };
    const answer = await fetch(url + basePath + path, init);
    if (answer.status !== 200 && answer.status !== 401) throw new Error(answer.status);
    const said = await answer.json();
    const expires = Date.parse(said.accessExpiresAt ?? said.session?.accessExpiresAt);
    const clock = Date.parse(answer.headers.get('date')); // the server's
    const now = Math.abs(clock - Date.now()) > 2000 ? clock : Date.now();
    const left = expires ? expires - now : Infinity;
    know(left);
    channel.postMessage(left);
    return said;
  };

  const know = (left) => {
    if (timer === null) return;
    const ended = left === Infinity && due < Infinity;
    due = Date.now() + left;
    clearTimeout(timer);
    // A little late: the server renews only what has expired.
    const pause = Math.min(Math.max(left, 0) + 100 + 400 * Math.random(), 2 ** 30);
    if (left < Infinity) timer = setTimeout(() => renew().catch(() => know(5000)), pause);
    if (ended) onEnd();
  };
  channel.onmessage = ({ data }) => know(data);

  // One tab at a time. Without https there are no locks: then whoever wrote last.
  const alone = async (work) => {
    if (navigator.locks) return navigator.locks.request(name, { signal: patience() }, work);
    const me = `${Math.random()} `;
    while (localStorage[name]?.split(' ')[1] > Date.now()) await wait(50);
    localStorage[name] = me + (Date.now() + 10_000);
    await wait(50);
    if (!localStorage[name]?.startsWith(me)) return alone(work);
    try {
      return await work();
    } finally {
      delete localStorage[name];
    }
  };

  const renew = () => {
    const before = due;
    return (renewing ??= alone(async () => {
      await wait(50); // for what the tab before has to tell
      if (Object.is(due, before)) await ask('/refresh', 'POST');
      return due < Infinity;
    }).finally(() => (renewing = undefined)));
  };

  return {
    renew,
    info: () => ask('/info', 'GET'),
    async fetch(input, init) {
      const request = new Request(input, init);
      if (renewing || Date.now() >= due) await renew().catch(() => {});
      const again = request.clone();
      const answer = await fetch(request);
      return answer.status === 401 && (await renew().catch(() => false)) ? fetch(again) : answer;
    },
    close() {
      clearTimeout(timer);
      timer = null;
      channel.onmessage = null;
    },
  };
}
