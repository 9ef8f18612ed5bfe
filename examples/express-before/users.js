// The users table `users(id, password, nickname)`, here in a file of JSON lines instead of MySQL.
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { join } from 'node:path';

const FILE = join(process.env.DATA_DIR ?? '.', 'users.jsonl');
const ROUNDS = 104906;

const lines = existsSync(FILE) ? readFileSync(FILE, 'utf8').split('\n').filter(Boolean) : [];
const users = new Map(lines.map((line) => JSON.parse(line)).map((user) => [user.id, user]));

const hash = async (password, salt) => (await promisify(pbkdf2)(password, salt, ROUNDS, 64, 'sha512')).toString('base64');

export const all = () => [...users.values()];

/** The new user, or nothing if the id is taken. */
export async function create({ id, password, nickname }) {
  const salt = randomBytes(16).toString('base64');
  const user = { id, password: `${await hash(password, salt)}$${salt}`, nickname };
  if (users.has(id)) return undefined;
  users.set(id, user);
  appendFileSync(FILE, `${JSON.stringify(user)}\n`);
  return user;
}

/** The user, if the password is theirs. */
export async function check(id, password) {
  const user = users.get(id);
  if (!user) return undefined;
  const [kept, salt] = user.password.split('$');
  const same = timingSafeEqual(Buffer.from(kept), Buffer.from(await hash(password, salt)));
  return same ? user : undefined;
}
