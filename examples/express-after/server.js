import cookieParser from 'cookie-parser';
import express from 'express';
import { authenticate, requireUser } from './auth.js';
import { router as notes } from './notes.js';

const app = express();
app.use(cookieParser());
app.use('/notes', authenticate, requireUser, notes);
app.get('/', (req, res) => res.redirect('/user/info'));

const server = app.listen(Number(process.env.PORT ?? 4000), '127.0.0.1', () => {
  console.log(`http://localhost:${server.address().port}`);
});
