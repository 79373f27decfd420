/* SPDX-License-Identifier: Apache-2.0
 *
 * page.js: a client of the sample host for people. One section of page.html is shown at a time.
 */
'use strict';

/* Held here and nowhere else, so that they end with the page. */
let user = null;    /* {username, token}: who is logged in */
let pending = null; /* {username, token, step}: an mfaToken that waits for its code; the step is confirm or verify */

const $ = id => document.getElementById(id);

/* --- talking to the host --- */

/* What is told to the person, and of which field (undefined: of none). */
class Problem extends Error {
    constructor(message, field, answer = {}) {
        super(message);
        this.field = field;
        this.answer = answer;
    }
}

function inWords(seconds) {
    if (seconds === 1)
        return 'one second';
    return seconds < 120 ? `${seconds} seconds` : `${Math.ceil(seconds / 60)} minutes`;
}

function attempts(left) {
    if (left === undefined)
        return '';
    return left === 1 ? ' One attempt is left.' : ` ${left} attempts are left.`;
}

/* By `error.data.id`, else by `error.id`; what is not here the host says well enough. */
const problems = {
    'invalid-credentials': () => ['The username or the password is wrong.', 'password'],
    'unknown-resource': () => ['The username or the password is wrong.', 'password'],
    'item-already-exists': () => ['This username is taken. Choose another.', 'username'],
    'invalid-mfa-code': data => [`This code is wrong.${attempts(data.attemptsLeft)}`, 'code'],
    'expired-mfa-code': () => ['This code has expired. Ask for a new one.', 'code'],
    'invalid-recovery-code': () => ['This recovery code is wrong, or was used already.', 'recoveryCode'],
    'mfa-sms-provider-error': () => ['The message service refused. Check what you have entered, and try again.'],
    'mfa-sms-provider-timeout': () => ['The message service does not answer. Try again in a moment.'],
    'step-up-required': () => ['Enter your password to confirm that it is you.', 'password'],
    'invalid-step-up': () => ['The password is wrong.', 'password'],
};

function problemOf(error) {
    const data = error.data ?? {};
    if (Array.isArray(data))
        return new Problem(error.message, data[0]?.path.replace('#/', '').replace('phone', 'number'), error);
    if (data.retryAfterSeconds)
        return new Problem(`Too many attempts. Try again in ${inWords(data.retryAfterSeconds)}.`, undefined, error);
    const [message, field] = (problems[data.id] ?? problems[error.id])?.(data) ?? [error.message];
    return new Problem(message, field, error);
}

/* Not the status says whether it went well: where browsers do not send Sec-Fetch-Mode, an activation answers 302. */
async function call(method, path, token, body) {
    const headers = {};
    let answer;
    if (token)
        headers.Authorization = token;
    if (body)
        headers['Content-Type'] = 'application/json';
    try {
        const response = await fetch(path, {method, headers, body: body && JSON.stringify(body), credentials: 'omit'});
        answer = await response.json();
    } catch {
        throw new Problem('The server cannot be reached. Check your connection, and try again.');
    }
    if (answer.error)
        throw problemOf(answer.error);
    return answer;
}

const post = (username, route, token, body = {}) => call('POST', `/${username}/${route}`, token, body);

/* --- what is seen --- */

function tell(text) {
    $('notice').textContent = text;
}

function clearProblem(section) {
    section.querySelector('.problem')?.replaceChildren();
    for (const input of section.querySelectorAll('[aria-invalid]'))
        input.removeAttribute('aria-invalid');
}

function showProblem(section, problem) {
    const input = section.querySelector(`input[name="${problem.field}"]`);
    section.querySelector('.problem').textContent = problem.message;
    if (!input)
        return;
    input.setAttribute('aria-invalid', 'true');
    input.focus();
    input.select();
}

/* Nothing that was typed or shown elsewhere stays behind. The focus goes to the first field, else to the title. */
function show(id, notice = '') {
    for (const section of document.querySelectorAll('main > section')) {
        section.hidden = section.id !== id;
        section.querySelector('form')?.reset();
        clearProblem(section);
    }
    $('recovery-code-list').replaceChildren();
    document.title = `${$(`${id}-title`).textContent} – Sample host`;
    tell(notice);
    ($(id).querySelector('input:enabled') ?? $(`${id}-title`)).focus();
}

function fillUsername(section, username) {
    if (!username)
        return;
    $(`${section}-username`).value = username;
    $(`${section}-password`).focus();
}

function showLogIn(username, notice) {
    user = pending = null;
    show('log-in', notice);
    fillUsername('log-in', username);
}

function describe({active, hint, recoveryCodesRemaining}) {
    return active ? `It is on. Codes are sent to ${hint ?? 'you'}. Recovery codes left: ${recoveryCodesRemaining}.`
                  : 'It is off: your password alone is enough to log in.';
}

async function showAccount(notice) {
    let enrolment = {};
    let state;
    pending = null;
    try {
        enrolment = await call('GET', `/${user.username}/mfa`, user.token);
        state = describe(enrolment);
    } catch (problem) {
        if (hasEnded(problem))
            return;
        state = problem.message;
    }
    $('account-username').textContent = user.username;
    $('account-state').textContent = state;
    $('turn-on').hidden = enrolment.active !== false;
    $('turn-off').hidden = enrolment.active !== true;
    show('account', notice);
}

/* Whether the access token is not good any more; then the login is shown. */
function hasEnded(problem) {
    if (problem.answer.id !== 'invalid-access-token')
        return false;
    showLogIn(user.username, 'Your session has ended. Log in again.');
    return true;
}

function showCode(username, step, answer) {
    pending = {username, step, token: answer.mfaToken};
    show('code');
    $('code-recover').hidden = step === 'confirm';
    holdResend(answer.retryAfterSeconds ?? 0);
    if (answer.retryAfterSeconds)
        tell(`Too many codes were sent lately. You can ask for a new one in ${inWords(answer.retryAfterSeconds)}.`);
    else
        tell('A code was sent to your phone.');
}

function showRecoveryCodes(codes) {
    show('recovery-codes');
    for (const code of codes) {
        const item = document.createElement('li');
        item.textContent = code;
        $('recovery-code-list').append(item);
    }
}

/* --- asking for a new code --- */

let resendTimer = 0;

/* A button that is disabled would lose the focus, so this one only says that it is. Its countdown is for the eye: a
 * screen reader is told the beginning and the end. */
function holdResend(wait) {
    const end = Date.now() + wait * 1000;
    function tick() {
        const left = Math.max(0, Math.ceil((end - Date.now()) / 1000));
        const clock = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}`;
        $('resend').ariaDisabled = String(left > 0);
        $('resend-wait').textContent = left > 0 ? ` in ${clock}` : '';
        if (left > 0)
            return;
        clearInterval(resendTimer);
        if (wait > 0 && !$('code').hidden)
            tell('You can ask for a new code now.');
    }
    clearInterval(resendTimer);
    resendTimer = setInterval(tick, 250);
    tick();
}

async function resend() {
    if ($('resend').ariaDisabled === 'true')
        return;
    let wait = 0;
    clearProblem($('code'));
    tell('');
    try {
        await post(pending.username, 'mfa/challenge', pending.token);
        tell('A new code was sent to your phone.');
        $('code-code').focus();
    } catch (problem) {
        wait = problem.answer.data?.retryAfterSeconds ?? 0;
        if (wait)
            tell(`A code was sent a moment ago. You can ask for a new one in ${inWords(wait)}.`);
        else
            await failCode(problem);
    }
    holdResend(wait);
}

/* --- forms --- */

/* By the name of a field: how it is read, what it then looks like, and what is said when it does not. */
const fields = {
    username: [text => text.trim().toLowerCase(), /^[a-z0-9-]{5,60}$/,
        'A username has 5 to 60 letters, digits or hyphens.'],
    password: [text => text, /./, 'Enter the password.'],
    number: [text => text.replace(/\D/g, '').replace(/^00/, ''), /^[1-9]\d{6,14}$/,
        'Enter the number with its country code, such as +41 79 123 12 12.'],
    code: [text => text.replace(/[\s-]/g, ''), /^[0-9A-Za-z]{4,10}$/, 'Enter the code from the message on your phone.'],
    recoveryCode: [text => text.trim(), /./, 'Enter one of your recovery codes.'],
};

function readForm(form) {
    const values = {};
    for (const {name, value} of form.querySelectorAll('input:enabled')) {
        const [read, shape, message] = fields[name];
        values[name] = read(value);
        if (!shape.test(values[name]))
            throw new Problem(message, name);
    }
    return values;
}

const appId = 'sample-page';

async function logIn({username, password}) {
    const answer = await post(username, 'auth/login', null, {username, password, appId});
    if (answer.mfaToken) {
        showCode(username, 'verify', answer);
        return;
    }
    user = {username, token: answer.token};
    await showAccount('');
}

async function register({username, password}) {
    await call('POST', '/users', null, {username, password, appId});
    await logIn({username, password});
}

/* The number in both spellings: the configuration guide's endpoints send `number`, most presets `phone`. */
async function enrol({number}) {
    const data = {number, phone: `+${number}`, message: 'Your code for Sample host is: {{ code }}'};
    showCode(user.username, 'confirm', await post(user.username, 'mfa/activate', user.token, data));
}

/* When the mfaToken has ended there is nothing left to do with a code. */
async function failCode(problem) {
    if (problem.answer.id !== 'invalid-access-token') {
        showProblem($('code'), problem);
        return;
    }
    const isWorn = problem.answer.data?.id === 'too-many-attempts';
    const why = isWorn ? 'Too many wrong codes.' : 'The time for a code is over.';
    if (pending.step === 'confirm')
        await showAccount(`${why} Turn on two-step login again.`);
    else
        showLogIn(pending.username, `${why} Log in again.`);
}

async function sendCode({code}) {
    const {username, step, token} = pending;
    let answer;
    try {
        answer = await post(username, `mfa/${step}`, token, {code});
    } catch (problem) {
        await failCode(problem);
        return;
    }
    pending = null;
    if (step === 'confirm') {
        showRecoveryCodes(answer.recoveryCodes);
        return;
    }
    user = {username, token: answer.token};
    await showAccount('');
}

async function recover(values) {
    await post(values.username, 'mfa/recover', null, values);
    showLogIn(values.username, 'Two-step login is off. Log in with your password.');
}

/* Whether the password is needed is for the server to say. */
function askPassword(isNeeded) {
    $('deactivate-password-field').hidden = !isNeeded;
    $('deactivate-password').disabled = !isNeeded;
}

async function deactivate(values) {
    try {
        await post(user.username, 'mfa/deactivate', user.token, values);
    } catch (problem) {
        if (problem.answer.data?.id === 'step-up-required')
            askPassword(true);
        throw problem;
    }
    await showAccount('Two-step login is off.');
}

const submits = {'log-in': logIn, register, enrol, code: sendCode, recover, deactivate};

async function submit(form) {
    const section = form.parentElement;
    clearProblem(section);
    tell('');
    try {
        await submits[section.id](readForm(form));
    } catch (problem) {
        if (!hasEnded(problem))
            showProblem(section, problem);
    }
}

/* --- buttons --- */

const codesText = () => [...$('recovery-code-list').children].map(item => `${item.textContent}\n`).join('');

async function copyCodes() {
    try {
        await navigator.clipboard.writeText(codesText());
        tell('The codes are copied.');
    } catch {
        getSelection().selectAllChildren($('recovery-code-list'));
        tell('The browser did not allow it. The codes are selected: copy them with Ctrl and C.');
    }
}

async function downloadCodes() {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([`Recovery codes of ${user.username} at Sample host\n\n`, codesText()]));
    link.download = 'recovery-codes.txt';
    link.click();
    setTimeout(URL.revokeObjectURL, 1000, link.href); /* by then the browser has read it */
    tell('The codes are downloaded.');
}

async function logOut() {
    const {username, token} = user;
    showLogIn('', 'You are logged out.');
    await post(username, 'auth/logout', token).catch(problem => tell(problem.message));
}

async function cancelCode() {
    if (pending.step === 'confirm')
        await showAccount('');
    else
        showLogIn('', '');
}

async function goTo(id) {
    const username = pending?.username;
    if (id === 'account') {
        await showAccount('');
        return;
    }
    pending = null;
    askPassword(false);
    show(id);
    if (id === 'recover')
        fillUsername('recover', username);
}

/* One thing at a time: what is pressed while the host is being asked is ignored. */
async function act(action) {
    const {classList} = document.body;
    if (classList.contains('busy'))
        return;
    classList.add('busy');
    await action().finally(() => classList.remove('busy'));
}

const onClick = (button, action) => button.addEventListener('click', () => act(action));

for (const form of document.forms)
    form.addEventListener('submit', event => {
        event.preventDefault();
        act(() => submit(form));
    });
for (const button of document.querySelectorAll('[data-to]'))
    onClick(button, () => goTo(button.dataset.to));
onClick($('resend'), resend);
onClick($('code-cancel'), cancelCode);
onClick($('copy'), copyCodes);
onClick($('download'), downloadCodes);
onClick($('log-out'), logOut);
showLogIn('', '');
