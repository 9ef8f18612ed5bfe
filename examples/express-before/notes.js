// What the app is for: everybody's own notes, kept under the user's id.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Router, urlencoded } from 'express';

const FILE = join(process.env.DATA_DIR ?? '.', 'notes.json');
const notes = existsSync(FILE) ? JSON.parse(readFileSync(FILE, 'utf8')) : {};
const text = (value) => String(value).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

export const router = Router();

router.get('/', (req, res) => {
  const own = Object.hasOwn(notes, req.user.id) ? notes[req.user.id] : [];
  res.send(`<h1>${text(req.user.name)}</h1><ul>${own.map((note) => `<li>${text(note)}</li>`).join('')}</ul>`);
});

router.post('/', urlencoded({ extended: false }), (req, res) => {
  const own = Object.hasOwn(notes, req.user.id) ? notes[req.user.id] : [];
  notes[req.user.id] = [...own, req.body.note];
  writeFileSync(FILE, JSON.stringify(notes));
  res.redirect('/notes');
});
