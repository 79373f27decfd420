/* SPDX-License-Identifier: Apache-2.0
 *
 * The page of the sample host in Chromium, in mode `challenge-verify`, and with `stepUp.required`.
 */
'use strict';

const assert = require('node:assert/strict');
const {after, before, test} = require('node:test');

const {Person, closeBrowser, openBrowser, password} = require('./browser.js');

before(openBrowser);
after(closeBrowser);

test('turning_it_off_takes_the_password_where_the_host_wants_it', async () => {
    const person = await Person.open('careful', '41790000031');
    await person.enrol();
    await person.press('Turn off two-step login');
    await person.press('Turn off');
    assert.equal(await person.problem(), 'Enter your password to confirm that it is you.');
    await person.show('14-step-up');
    await person.page.keyboard.type('not the password\n');
    await person.page.getByText('The password is wrong.').waitFor();
    await person.fill('Password', password);
    await person.press('Turn off');
    await person.page.getByText('It is off').waitFor();
    await person.close();
});

test('too_many_wrong_passwords_say_how_long_to_wait', async () => {
    const person = await Person.open('hasty', '41790000033');
    await person.enrol();
    await person.press('Turn off two-step login');
    await person.press('Turn off');
    await person.fill('Password', 'not the password');
    for (let i = 0; i < 4; i++) {
        await person.press('Turn off');
        await person.page.getByText('The password is wrong.').waitFor();
    }
    await person.press('Turn off');
    await person.page.getByText(/^Too many attempts. Try again in (2 seconds|one second)\.$/).waitFor();
    await person.close();
});

test('a_code_of_the_service_with_spaces_is_taken', async () => {
    const person = await Person.open('spaced', '41790000032');
    await person.enrol();
    await person.logOut();
    await person.logIn();
    await person.title('Enter the code');
    await person.sendCode([...await person.code()].join(' '));
    await person.title('Your account');
    await person.close();
});
