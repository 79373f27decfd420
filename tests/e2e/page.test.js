/* SPDX-License-Identifier: Apache-2.0
 *
 * The page of the sample host in Chromium, in mode `single`.
 */
'use strict';

const assert = require('node:assert/strict');
const {readFile} = require('node:fs/promises');
const {after, before, test} = require('node:test');

const {Person, closeBrowser, farHost, openBrowser, password} = require('./browser.js');
const {wrongCode} = require('./phone.js');

before(openBrowser);
after(closeBrowser);

test('a_person_enrols_logs_in_with_a_code_and_turns_it_off', async () => {
    const person = await Person.open('walker', '41790000011');
    await person.title('Log in');
    await person.show('01-log-in');
    await person.press('Create an account');
    await person.show('02-register');
    await person.fill('Username', 'Walker ');
    await person.fill('Password', password);
    await person.press('Create account');
    await person.title('Your account');
    await person.show('03-account-off');

    await person.press('Turn on two-step login');
    await person.show('04-enrol');
    await person.fill('Mobile phone number', '00 41 79 000 00 11');
    const [activation] = await Promise.all(
        [person.page.waitForRequest('**/mfa/activate'), person.press('Send the code')]);
    const {number, phone} = activation.postDataJSON();
    assert.deepEqual({number, phone}, {number: '41790000011', phone: '+41790000011'});
    await person.title('Enter the code');
    await person.show('05-confirm');
    await person.sendCode(await person.code());
    await person.title('Keep your recovery codes');
    await person.show('06-recovery-codes');
    await person.press('I have kept them');
    await person.title('Your account');
    await person.page.getByText('It is on. Codes are sent to +41 ** *** 00 11. Recovery codes left: 10.').waitFor();
    await person.show('07-account-on');

    await person.logOut();
    await person.logIn();
    await person.title('Enter the code');
    await person.show('08-verify');
    await person.sendCode(await person.code());
    await person.title('Your account');

    await person.press('Turn off two-step login');
    await person.show('09-deactivate');
    await person.press('Turn off');
    await person.title('Your account');
    assert.equal(await person.notice(), 'Two-step login is off.');
    await person.logOut();
    await person.logIn();
    await person.title('Your account');
    await person.close();
});

/* Presses Tab until the focus is on the element of that role and name, and not more than a few times. */
async function tabTo(page, role, name) {
    const element = page.getByRole(role, {name, exact: true});
    for (let i = 0; i < 12; i++) {
        if (await element.evaluate(node => node === document.activeElement))
            return;
        await page.keyboard.press('Tab');
    }
    assert.fail(`Tab does not come to ${name}`);
}

async function pressKeyOn(page, name) {
    await tabTo(page, 'button', name);
    await page.keyboard.press('Enter');
}

/* One text a field, and Enter. */
async function type(page, ...texts) {
    for (const [i, text] of texts.entries()) {
        if (i > 0)
            await page.keyboard.press('Tab');
        await page.keyboard.type(text);
    }
    await page.keyboard.press('Enter');
}

/* Each step begins where the page has put the focus: what is typed goes there. */
test('a_keyboard_is_enough', async () => {
    const person = await Person.open('typist', '41790000012');
    const {page} = person;
    await person.title('Log in');
    await pressKeyOn(page, 'Create an account');
    await type(page, 'typist', password);
    await person.title('Your account');
    await pressKeyOn(page, 'Turn on two-step login');
    await type(page, '+41 79 000 00 12');
    await person.title('Enter the code');
    await type(page, await person.code());
    await person.title('Keep your recovery codes');
    await pressKeyOn(page, 'Copy');
    await page.getByText('The codes are copied.').waitFor();
    await pressKeyOn(page, 'I have kept them');
    await person.title('Your account');
    await pressKeyOn(page, 'Log out');

    await person.title('Log in');
    await type(page, 'typist', password);
    await person.title('Enter the code');
    await pressKeyOn(page, 'Send a new code');
    await page.getByText('A new code was sent to your phone.').waitFor();
    await type(page, await person.code());
    await person.title('Your account');
    await pressKeyOn(page, 'Turn off two-step login');
    await pressKeyOn(page, 'Turn off');
    await page.getByText('It is off').waitFor();
    await person.close();
});

test('a_pasted_code_with_spaces_is_taken', async () => {
    const person = await Person.open('paster', '41790000013');
    await person.register();
    await person.askForFirstCode();
    const code = await person.code();
    await person.page.evaluate(text => navigator.clipboard.writeText(text), ` ${code.slice(0, 3)} ${code.slice(3)} `);
    await person.page.keyboard.press('Control+V');
    await person.press('Continue');
    await person.title('Keep your recovery codes');
    await person.close();
});

test('phones_offer_to_fill_in_the_code', async () => {
    const person = await Person.open('filler', '41790000014');
    const field = person.page.locator('#code-code');
    assert.equal(await field.getAttribute('autocomplete'), 'one-time-code');
    assert.equal(await field.getAttribute('inputmode'), 'numeric');
    await person.close();
});

test('recovery_codes_can_be_copied_and_downloaded_and_are_shown_once', async () => {
    const person = await Person.open('keeper', '41790000015');
    const {page} = person;
    await person.register();
    await person.askForFirstCode();
    await person.sendCode(await person.code());
    await person.title('Keep your recovery codes');
    const codes = await page.getByRole('listitem').allTextContents();
    assert.equal(new Set(codes).size, 10);

    await person.press('Copy');
    await page.getByText('The codes are copied.').waitFor();
    assert.deepEqual((await page.evaluate(() => navigator.clipboard.readText())).trim().split('\n'), codes);

    const downloading = page.waitForEvent('download');
    await person.press('Download');
    const download = await downloading;
    assert.equal(download.suggestedFilename(), 'recovery-codes.txt');
    const text = await readFile(await download.path(), 'utf8');
    assert.deepEqual(text.trim().split('\n').slice(-10), codes);

    await person.press('I have kept them');
    await person.title('Your account');
    assert.ok(!(await page.content()).includes(codes[0]));
    await person.close();
});

test('it_works_without_what_browsers_keep_for_secure_pages', async () => {
    const person = await Person.open('faraway', '41790000022', farHost);
    const {page} = person;
    await person.register();
    const activating = page.waitForResponse(response => response.url().endsWith('/mfa/activate'));
    await person.askForFirstCode();
    assert.equal((await activating).status(), 302);
    await person.sendCode(await person.code());
    await person.title('Keep your recovery codes');
    await person.press('Copy');
    await page.getByText('The codes are selected: copy them with Ctrl and C.').waitFor();
    const codes = await page.getByRole('listitem').allTextContents();
    assert.deepEqual((await page.evaluate(() => getSelection().toString())).trim().split(/\n+/), codes);
    await person.close();
});

test('a_recovery_code_lets_in_who_has_lost_the_phone', async () => {
    const person = await Person.open('loser', '41790000016');
    const codes = await person.enrol();
    await person.logOut();
    await person.logIn();
    await person.title('Enter the code');
    await person.press('I have lost my phone');
    assert.equal(await person.field('Username').inputValue(), 'loser');
    await person.fill('Password', password);
    await person.fill('Recovery code', 'a-code-that-is-none');
    await person.press('Turn off two-step login');
    assert.equal(await person.problem(), 'This recovery code is wrong, or was used already.');
    await person.show('10-recover-wrong');

    await person.fill('Recovery code', codes[3]);
    await person.press('Turn off two-step login');
    await person.title('Log in');
    assert.equal(await person.notice(), 'Two-step login is off. Log in with your password.');
    await person.page.keyboard.type(`${password}\n`);
    await person.title('Your account');
    await person.close();
});

test('a_refused_new_code_counts_down_from_what_the_host_says', async () => {
    const person = await Person.open('waiter', '41790000017');
    const {page} = person;
    await person.register();
    await person.askForFirstCode();
    await person.press('Send a new code');
    await page.getByText('A new code was sent to your phone.').waitFor();

    await page.clock.install();
    const refused = page.waitForResponse(response => response.status() === 429);
    await person.press('Send a new code');
    const {error} = await (await refused).json();
    const resend = page.getByRole('button', {name: 'Send a new code', exact: true, disabled: true});
    await resend.waitFor();
    assert.match(await resend.textContent(), / in 0:[0-3][0-9]$/);
    assert.match(await person.notice(), /A code was sent a moment ago\. You can ask for a new one in \d+ seconds\./);
    await person.show('11-resend-wait');

    await page.clock.fastForward(error.data.retryAfterSeconds * 1000 + 500);
    await page.getByText('You can ask for a new code now.').waitFor();
    await page.getByRole('button', {name: 'Send a new code', exact: true, disabled: false}).waitFor();
    await person.close();
});

test('a_wrong_code_is_explained_and_the_fifth_ends_the_login', async () => {
    const person = await Person.open('guesser', '41790000018');
    const {page} = person;
    await person.enrol();
    await person.logOut();
    await person.logIn();
    await person.title('Enter the code');
    await person.sendCode('12');
    assert.equal(await person.problem(), 'Enter the code from the message on your phone.');
    await person.sendCode(wrongCode(await person.code()));
    await page.getByText('This code is wrong. 4 attempts are left.').waitFor();
    await person.show('12-wrong-code');
    const field = person.field('Code');
    assert.ok(await field.evaluate(node => node === document.activeElement));
    assert.equal(await field.getAttribute('aria-invalid'), 'true');
    assert.equal(await field.getAttribute('aria-errormessage'), await page.getByRole('alert').getAttribute('id'));
    for (const left of ['3 attempts are', '2 attempts are', 'One attempt is']) {
        await person.press('Continue');
        await page.getByText(`This code is wrong. ${left} left.`).waitFor();
    }
    await person.press('Continue');
    await person.title('Log in');
    assert.equal(await person.notice(), 'Too many wrong codes. Log in again.');
    await person.close();
});

test('problems_are_told_in_plain_words', async () => {
    const person = await Person.open('nobody', '41790000019');
    const {page} = person;
    await person.press('Log in');
    assert.equal(await person.problem(), 'A username has 5 to 60 letters, digits or hyphens.');
    await person.logIn();
    await page.getByText('The username or the password is wrong.').waitFor();
    await person.show('13-wrong-password');
    await person.context.setOffline(true);
    await person.press('Log in');
    await page.getByText('The server cannot be reached. Check your connection, and try again.').waitFor();
    await person.context.setOffline(false);

    await person.register();
    await person.press('Turn on two-step login');
    await person.fill('Mobile phone number', '079');
    await person.press('Send the code');
    assert.equal(await person.problem(), 'Enter the number with its country code, such as +41 79 123 12 12.');
    const error = {id: 'invalid-parameters-format', message: 'Refused.', data: [{path: '#/phone', message: 'Wrong.'}]};
    await page.route('**/mfa/activate', route => route.fulfill({status: 400, json: {error}}));
    await person.fill('Mobile phone number', '41790000019');
    await person.press('Send the code');
    await page.getByText('Refused.').waitFor();
    assert.equal(await page.getByLabel('Mobile phone number').getAttribute('aria-invalid'), 'true');
    await page.unroute('**/mfa/activate');
    await person.press('Not now');
    await person.logOut();
    await person.press('Create an account');
    await person.fill('Username', 'nobody');
    await person.fill('Password', password);
    await person.press('Create account');
    assert.equal(await person.problem(), 'This username is taken. Choose another.');
    await person.close();
});

test('nothing_secret_is_stored_or_part_of_an_address', async () => {
    const person = await Person.open('private', '41790000020');
    await person.enrol();
    const stored = await person.page.evaluate(() => [{...localStorage}, {...sessionStorage}, document.cookie]);
    assert.deepEqual(stored, [{}, {}, '']);
    assert.deepEqual(await person.context.cookies(), []);
    for (const address of person.addresses)
        assert.match(address, /^http:\/\/127\.0\.0\.1:\d+\/((page\.(js|css|svg))?|users|private(\/[a-z]+){1,2})$/);
    await person.page.reload();
    await person.title('Log in');
    await person.close();
});

test('no_script_runs_but_the_page_s_own', async () => {
    const person = await Person.open('injector', '41790000021');
    const ran = await person.page.evaluate(() => {
        const script = document.createElement('script');
        script.textContent = 'window.injected = true';
        document.body.append(script);
        return window.injected === true;
    });
    assert.equal(ran, false);
    await person.context.close(); /* the browser has complained, as it must */
});
