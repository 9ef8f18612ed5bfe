// The users table as CSV, as `SELECT id, password, nickname FROM users` would give it.
import { all } from './users.js';

const field = (value) => `"${String(value).replaceAll('"', '""')}"`;
console.log('id,password,nickname');
for (const { id, password, nickname } of all()) console.log([id, password, nickname].map(field).join(','));
