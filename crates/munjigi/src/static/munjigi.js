// The pages work without this. It makes them kinder: it shows passwords on demand, says at once what the server would refuse
// (by asking the server, which alone knows the rules), sends a form once, tells times as the reader's clock does, and changes
// the language without losing what was typed. Every word comes from the page, so a further language needs nothing here.

const all = (selector, root = document) => [...root.querySelectorAll(selector)];

/** How long typing has to rest before the server is asked, in milliseconds. */
const REST = 350;
/** The server has answered by then or never will, in milliseconds. */
const LONGEST = 15_000;

/** A button that shows what is typed into a password field. */
function reveal(button) {
  const input = button.parentElement.querySelector('input');
  const show = (shown) => {
    input.type = shown ? 'text' : 'password';
    button.setAttribute('aria-pressed', shown);
  };
  button.hidden = false;
  button.addEventListener('click', () => show(input.type === 'password'));
  // A browser offers to keep what was typed into a password field, and what was shown is not left on the screen.
  input.form?.addEventListener('submit', () => show(false));
}

/** Says so while Caps Lock is on. */
function capsLock(hint) {
  const input = hint.parentElement.querySelector('input');
  const look = (event) => {
    const on = event.type !== 'blur' && (event.getModifierState?.('CapsLock') ?? hint.textContent !== '');
    const text = on ? hint.dataset.text : '';
    if (hint.textContent !== text) hint.textContent = text;
  };
  for (const kind of ['keydown', 'keyup', 'mousedown', 'blur']) input.addEventListener(kind, look);
}

/** Sends a form once, and says that it is under way. */
function sendOnce(form) {
  let button;
  const ready = () => {
    if (!button) return;
    button.textContent = button.dataset.ready;
    button.removeAttribute('aria-busy');
    button = undefined;
  };
  form.addEventListener('submit', (event) => {
    if (button) return event.preventDefault();
    button = event.submitter?.dataset.busy ? event.submitter : undefined;
    if (!button) return undefined;
    button.dataset.ready = button.textContent;
    button.textContent = button.dataset.busy;
    button.setAttribute('aria-busy', 'true');
    return setTimeout(ready, LONGEST);
  });
  // The page comes back as it was left when somebody goes back.
  addEventListener('pageshow', ready);
}

/** Asks the server about what is typed, and says what is wrong beside each field. */
function check(form) {
  const fields = all('.field', form)
    .map((field) => ({ field, input: field.querySelector('input'), error: field.querySelector('.error') }))
    .filter(({ input }) => input.autocomplete !== 'current-password')
    // What was refused stays refused until it is changed: not everything is known here, as that a username is taken.
    .map((each) => ({ ...each, left: each.error.textContent !== '', refused: each.error.textContent && each.input.value }));
  let resting;
  let asking;

  const say = ({ input, error }, text = '') => {
    if (error.textContent !== text) error.textContent = text;
    if (text) input.setAttribute('aria-invalid', 'true');
    else input.removeAttribute('aria-invalid');
  };

  const measure = ({ field, input }, strength) => {
    const meter = field.querySelector('.strength');
    if (!meter) return;
    meter.hidden = !strength || input.value === '';
    if (meter.hidden) return;
    meter.querySelector('.bars').dataset.score = strength.score;
    meter.querySelector('p').textContent = [strength.label, strength.advice].filter(Boolean).join(' ');
  };

  const ask = async () => {
    asking?.abort();
    asking = new AbortController();
    const typed = Object.fromEntries(new FormData(form));
    const body = {};
    for (const name of ['username', ...fields.map(({ input }) => input.name)]) if (typed[name]) body[name] = typed[name];
    try {
      const answer = await fetch(form.dataset.check, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
        body: JSON.stringify(body),
        signal: asking.signal,
      });
      if (!answer.ok) return;
      const { errors, strength } = await answer.json();
      for (const each of fields) {
        const { input, left, refused } = each;
        if (left && input.value !== refused) say(each, input.value === '' ? '' : errors[input.name]);
        measure(each, strength);
      }
    } catch {
      // Nobody is kept from going on: the form itself will be judged.
    }
  };

  const soon = (after) => {
    clearTimeout(resting);
    resting = setTimeout(ask, after);
  };

  for (const each of fields) {
    each.input.addEventListener('input', (event) => {
      if (event.isComposing) return;
      if (each.input.value === '') measure(each, null);
      if (each.left || each.field.querySelector('.strength')) soon(REST);
    });
    each.input.addEventListener('compositionend', () => each.left && soon(REST));
    each.input.addEventListener('blur', () => {
      if (each.input.value === '') return;
      each.left = true;
      soon(0);
    });
  }
  form.addEventListener('submit', () => {
    clearTimeout(resting);
    asking?.abort();
  });
}

/** A moment as the reader's clock tells it; what the server wrote, in UTC, stays within reach. */
function localTime(element) {
  const moment = new Date(element.dateTime);
  const format = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: 'long', timeStyle: 'short' });
  if (element.title) {
    element.title = format.format(moment);
  } else {
    element.title = element.textContent;
    element.textContent = format.format(moment);
  }
}

/** Changes the language of the page and keeps what was typed, where it was typed. */
function language(control) {
  control.addEventListener('click', async (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || control.dataset.away) return;
    event.preventDefault();
    const address = control.dataset.page;
    try {
      const answer = await fetch(address, { headers: { Accept: 'text/html' } });
      const text = await answer.text();
      if (answer.redirected || !answer.ok) throw new Error('the page is another one now');
      translate(new DOMParser().parseFromString(text, 'text/html'), control.lang, address);
    } catch {
      // Then as it goes without us.
      control.dataset.away = 'yes';
      control.click();
    }
  });
}

function translate(next, tag, address) {
  const inputs = () => all('input[id]:not([type=hidden])');
  const typed = new Map(inputs().map((input) => [input.id, { text: input.value, ticked: input.checked }]));
  document.title = next.title;
  Object.assign(document.documentElement, { lang: next.documentElement.lang, dir: next.documentElement.dir });
  for (const focused of all('[autofocus]', next)) focused.removeAttribute('autofocus');
  document.body.replaceWith(document.adoptNode(next.body));
  for (const input of inputs()) {
    const { text = input.value, ticked = input.checked } = typed.get(input.id) ?? {};
    input.value = text;
    input.checked = ticked;
  }
  history.replaceState(null, '', address);
  start();
  document.querySelector(`.languages [lang="${tag}"]`)?.focus();
}

/** Says so when the session of this page ended elsewhere: in another tab, or on another device. */
function watch(place) {
  document.addEventListener('visibilitychange', async () => {
    if (document.visibilityState !== 'visible' || !place.isConnected || place.children.length > 1) return;
    try {
      const answer = await fetch(place.dataset.watch, { headers: { Accept: 'application/json' } });
      const { user } = await answer.json();
      if (user?.id !== place.dataset.user) place.append(place.querySelector('template').content.cloneNode(true));
    } catch {
      // Without an answer there is nothing to say.
    }
  });
}

function start() {
  all('.reveal').forEach(reveal);
  all('.caps').forEach(capsLock);
  all('form[method=post]').forEach(sendOnce);
  all('form[data-check]').forEach(check);
  all('time[datetime]').forEach(localTime);
  all('.languages button').forEach(language);
  all('[data-watch]').forEach(watch);
}

start();
