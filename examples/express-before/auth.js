// Log-in by hand: an access token in a cookie, a refresh token on the server.
import { Router, json, urlencoded } from 'express';
import jwt from 'jsonwebtoken';
import * as users from './users.js';

const { ACCESS_TOKEN_SECRET, REFRESH_TOKEN_SECRET } = process.env;
const refreshTokens = new Map();

const accessToken = ({ id, name }) => jwt.sign({ id, name }, ACCESS_TOKEN_SECRET, { algorithm: 'HS256', expiresIn: '10m' });

function give(res, token) {
  res.cookie('accessToken', token, { httpOnly: true, sameSite: 'strict' });
}

function verified(token, secret, options = {}) {
  try {
    return jwt.verify(token, secret, { algorithms: ['HS256'], ...options });
  } catch {
    return undefined;
  }
}

/** Sets `req.user` to `{id, name}`, or to nothing. */
export function authenticate(req, res, next) {
  const token = req.cookies.accessToken;
  req.user = verified(token, ACCESS_TOKEN_SECRET);
  const expired = req.user ? undefined : verified(token, ACCESS_TOKEN_SECRET, { ignoreExpiration: true });
  if (expired && verified(refreshTokens.get(expired.id), REFRESH_TOKEN_SECRET)) {
    req.user = expired;
    give(res, accessToken(expired));
  }
  next();
}

export function requireUser(req, res, next) {
  if (req.user) next();
  else res.redirect('/user/login');
}

/** Express 4 hears nothing of a promise that fails. */
const safely = (handler) => (req, res, next) => handler(req, res).catch(next);

export const router = Router();
router.use(json(), urlencoded({ extended: false }));

router.get('/login', (req, res) => res.send(`<form method="post">
  <input name="id"> <input name="password" type="password"> <button>로그인</button></form>`));

router.get('/info', authenticate, (req, res) =>
  res.send(req.user ? `${req.user.name} <a href="/user/logout">로그아웃</a>` : '<a href="/user/login">로그인</a>'));

router.post('/register', safely(async (req, res) => {
  const { id, password, confirmPassword, nickName } = req.body;
  if (!/^[a-z0-9]{4,12}$/i.test(id ?? '')) return res.json({ errors: { id: '아이디는 영문자와 숫자 4–12자입니다.' } });
  if (password !== confirmPassword) return res.json({ errors: { confirmPassword: '비밀번호가 다릅니다.' } });
  const user = await users.create({ id, password, nickname: nickName });
  return res.json(user ? { success: true } : { success: false, msg: '이미 있는 아이디입니다.' });
}));

router.post('/login', safely(async (req, res) => {
  const user = await users.check(req.body.id, req.body.password);
  if (!user) return res.json({ success: false, msg: '아이디 또는 비밀번호가 틀렸습니다.' });
  refreshTokens.set(user.id, jwt.sign({ id: user.id }, REFRESH_TOKEN_SECRET, { algorithm: 'HS256', expiresIn: '14d' }));
  give(res, accessToken({ id: user.id, name: user.nickname }));
  return res.json({ success: true });
}));

router.get('/logout', (req, res) => {
  res.clearCookie('accessToken');
  res.redirect('/');
});
