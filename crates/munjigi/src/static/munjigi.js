// The pages work without this. It makes them kinder: it shows passwords on demand, says at once what the server would refuse
// (by asking the server, which alone knows the rules), sends a form once, tells times as the reader's clock does, and changes
// the language without losing what was typed. Every word comes from the page, so a further language needs nothing here.

const all = (selector, root = document) => [...root.querySelectorAll(selector)];

/** Writes only what is new: what is written again may be read aloud again. */
const tell = (element, text) => {
  if (element.textContent !== text) element.textContent = text;
};

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
    tell(hint, on ? hint.dataset.text : '');
  };
  for (const kind of ['keydown', 'keyup', 'mousedown', 'blur']) input.addEventListener(kind, look);
}

/** Sends a form once, and says that it is under way. */
function sendOnce(form) {
  let again;
  form.addEventListener('submit', (event) => {
    if (again) return event.preventDefault();
    const button = event.submitter;
    // What changes the language does nothing else.
    if (!button || button.dataset.away) return;
    const text = button.textContent;
    tell(button, button.dataset.busy ?? text);
    button.setAttribute('aria-busy', 'true');
    const late = setTimeout(() => again(), LONGEST);
    again = () => {
      clearTimeout(late);
      tell(button, text);
      button.removeAttribute('aria-busy');
      again = undefined;
    };
  });
  // The page comes back as it was left when somebody goes back.
  addEventListener('pageshow', () => again?.());
}

/** Settles once nothing is being pressed. What appears moves what is below it, and a press would miss its button. */
let released;
addEventListener('pointerdown', ({ button }) => {
  if (button !== 0) return;
  released = new Promise((done) => {
    for (const kind of ['pointerup', 'pointercancel']) addEventListener(kind, () => setTimeout(done), { once: true });
  });
}, true);

/** Asks the server about what is typed, and says what is wrong beside each field. */
function check(form) {
  const fields = all('.field', form)
    .map((field) => {
      const [input, error, bars, words] = ['input', '.error', '.bars', '.strength p'].map((part) => field.querySelector(part));
      // What was refused stays refused until it is changed: not everything is known here, as that a username is taken.
      const verdict = error?.textContent;
      return { input, error, bars, words, verdict, left: verdict !== '', refused: verdict && input?.value, judged: input?.value };
    })
    .filter(({ input, error }) => error && input && input.autocomplete !== 'current-password');
  let resting;
  let asking;

  const judge = (each, { errors, strength }) => {
    const { input, error, bars, words } = each;
    // Without an answer nobody is blamed for what is new, and what was said of the old stays said.
    if (each.left && (errors || input.value !== each.judged)) {
      const wrong = input.value === each.refused ? each.verdict : errors?.[input.name];
      each.judged = input.value;
      tell(error, wrong ?? '');
      if (wrong) input.setAttribute('aria-invalid', 'true');
      else input.removeAttribute('aria-invalid');
    }
    if (!bars || !words) return;
    bars.hidden = !strength || input.value === '';
    if (!bars.hidden) bars.dataset.score = strength.score;
    tell(words, bars.hidden ? '' : [strength.label, strength.advice].filter(Boolean).join(' '));
  };

  const ask = async () => {
    const asked = asking = new AbortController();
    const typed = new FormData(form);
    const body = {};
    for (const name of ['username', ...fields.map(({ input }) => input.name)]) if (typed.get(name)) body[name] = typed.get(name);
    let answer;
    try {
      const response = await fetch(form.dataset.check, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
        body: JSON.stringify(body),
        signal: asked.signal,
      });
      if (response.ok) answer = await response.json();
    } catch {
      // Nobody is kept from going on: the form itself will be judged.
    }
    await released;
    if (asked.signal.aborted) return;
    for (const each of fields) judge(each, answer ?? {});
  };

  const rest = () => {
    clearTimeout(resting);
    asking?.abort();
  };
  const soon = () => {
    rest();
    resting = setTimeout(ask, REST);
  };

  for (const each of fields) {
    const { input, bars } = each;
    input.addEventListener('input', () => {
      if (each.left || bars) soon();
    });
    input.addEventListener('blur', () => {
      // Who looks at another window has not left the field.
      if (input.value === '' || document.activeElement === input) return;
      each.left = true;
      soon();
    });
  }
  form.addEventListener('submit', rest);
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

/** The newest wish for another language. */
let wish;

/** Changes the language of the page and keeps what was typed, where it was typed. */
function language(control) {
  control.addEventListener('click', async (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || control.dataset.away) return;
    event.preventDefault();
    wish?.abort();
    const mine = wish = new AbortController();
    setTimeout(() => mine.abort(), LONGEST);
    const address = control.dataset.page;
    try {
      const answer = await fetch(address, { headers: { Accept: 'text/html' }, signal: mine.signal });
      const text = await answer.text();
      if (answer.redirected || !answer.ok) throw new Error('the page is another one now');
      // A form that is under way stays, or it could be sent again.
      if (control.form?.querySelector('[aria-busy]')) return;
      translate(new DOMParser().parseFromString(text, 'text/html'), control.lang, address);
    } catch {
      if (mine !== wish) return;
      // Then as it goes without us.
      control.dataset.away = 'yes';
      control.click();
    }
  });
}

function translate(next, tag, address) {
  const inputs = () => all('input[id]:not([type=hidden])');
  const typed = new Map(inputs().map((input) => [input.id, { text: input.value, ticked: input.checked }]));
  const focus = document.activeElement?.id;
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
  (document.getElementById(focus) ?? document.querySelector(`.languages [lang="${tag}"]`))?.focus();
  // What was said of the fields is said again, in the new language.
  for (const input of inputs()) input.dispatchEvent(new Event('blur'));
}

/** Says so while the session of this page has ended elsewhere: in another tab, or on another device. */
function watch(place) {
  document.addEventListener('visibilitychange', async () => {
    if (document.visibilityState !== 'visible' || !place.isConnected) return;
    try {
      const answer = await fetch(place.dataset.watch, { headers: { Accept: 'application/json' } });
      if (!answer.ok) return;
      const { user } = await answer.json();
      const [template, banner] = place.children;
      if (user?.id === place.dataset.user) banner?.remove();
      else if (!banner) place.append(template.content.cloneNode(true));
    } catch {
      // Without an answer there is nothing to say.
    }
  });
}

/** Each by itself: a page of one's own may lack what one kindness needs, and the others go on. */
function kindly(selector, be) {
  for (const element of all(selector)) {
    try {
      be(element);
    } catch (error) {
      console.error(error);
    }
  }
}

function start() {
  kindly('.reveal', reveal);
  kindly('.caps', capsLock);
  kindly('form[method=post]', sendOnce);
  kindly('form[data-check]', check);
  kindly('time[datetime]', localTime);
  kindly('.languages button', language);
  kindly('[data-watch]', watch);
}

start();
