/* SPDX-License-Identifier: Apache-2.0
 *
 * browser.js: a person at the page, in Debian's Chromium.
 */
'use strict';

const assert = require('node:assert/strict');
const {join} = require('node:path');

const axe = require('axe-core');
const {chromium} = require('playwright-core');

const {codeOnPhone} = require('./phone.js');

const password = 'correct horse battery staple';
const narrow = {width: 320, height: 640};
const wide = {width: 1280, height: 800};

/* Another name of the host. Browsers trust no page of it: they send no Sec-Fetch-Mode, and it has no clipboard. */
const farHost = 'host.example';

let browser;

async function openBrowser() {
    browser = await chromium.launch({
        executablePath: '/usr/bin/chromium',
        chromiumSandbox: process.getuid() !== 0,
        args: [`--host-resolver-rules=MAP ${farHost} 127.0.0.1`],
    });
}

async function closeBrowser() {
    await browser.close();
}

/* A page of its own for one person, who has a username and a phone. What must never happen is noted on the way, and
 * told by `close`. */
class Person {
    static async open(username, number, host = '127.0.0.1') {
        const person = new Person();
        Object.assign(person, {username, number, addresses: [], complaints: []});
        person.context = await browser.newContext({
            viewport: narrow, permissions: ['clipboard-read', 'clipboard-write'],
        });
        person.page = await person.context.newPage();
        person.page.setDefaultTimeout(30000);
        person.page.on('request', request => person.addresses.push(request.url()));
        person.page.on('pageerror', error => person.complaints.push(error.message));
        person.page.on('console', line => {
            /* An answer with an error status is no fault of the page. */
            if (line.type() === 'error' && !line.text().startsWith('Failed to load resource'))
                person.complaints.push(line.text());
        });
        await person.page.goto(process.env.HOST_URL.replace('127.0.0.1', host));
        return person;
    }

    async close() {
        assert.deepEqual(this.complaints, []);
        await this.context.close();
    }

    title(text) {
        return this.page.getByRole('heading', {level: 1, name: text, exact: true}).waitFor();
    }

    /* The field that a label names. */
    field(label) {
        return this.page.getByLabel(label, {exact: true}).filter({visible: true});
    }

    fill(label, text) {
        return this.field(label).fill(text);
    }

    press(button) {
        return this.page.getByRole('button', {name: button, exact: true}).click();
    }

    notice() {
        return this.page.getByRole('status').textContent();
    }

    /* Waits for what a screen reader says at once. */
    async problem() {
        const alert = this.page.getByRole('alert').filter({hasText: /./});
        await alert.waitFor();
        return alert.textContent();
    }

    code() {
        return codeOnPhone(this.number);
    }

    async logIn() {
        await this.title('Log in');
        await this.fill('Username', this.username);
        await this.fill('Password', password);
        await this.press('Log in');
    }

    async register() {
        await this.press('Create an account');
        await this.fill('Username', this.username);
        await this.fill('Password', password);
        await this.press('Create account');
        await this.title('Your account');
    }

    async askForFirstCode() {
        await this.press('Turn on two-step login');
        await this.fill('Mobile phone number', `+${this.number}`);
        await this.press('Send the code');
        await this.title('Enter the code');
    }

    async sendCode(code) {
        await this.fill('Code', code);
        await this.press('Continue');
    }

    /* Registers and enrols; gives the recovery codes, and leaves the account open. */
    async enrol() {
        await this.register();
        await this.askForFirstCode();
        await this.sendCode(await this.code());
        await this.title('Keep your recovery codes');
        const codes = await this.page.getByRole('listitem').allTextContents();
        await this.press('I have kept them');
        await this.title('Your account');
        return codes;
    }

    async logOut() {
        await this.press('Log out');
        await this.title('Log in');
    }

    /* Screenshots of what fits the narrow width, and can be read by everybody, by day and by night. */
    async show(name) {
        for (const [viewport, colorScheme] of [[wide, 'dark'], [wide, 'light'], [narrow, 'light']]) {
            const suffix = colorScheme === 'dark' ? '-dark' : '';
            const path = join(process.env.SCREENSHOTS, `${name}-${viewport.width}${suffix}.png`);
            await this.page.emulateMedia({colorScheme});
            await this.page.setViewportSize(viewport);
            await this.page.screenshot({path, fullPage: true});
            await this.isAccessible();
        }
        assert.ok(await this.page.evaluate(() => document.documentElement.scrollWidth) <= narrow.width);
    }

    async isAccessible() {
        await this.page.evaluate(axe.source);
        const {violations} = await this.page.evaluate(() => axe.run());
        assert.deepEqual(violations.map(({id, nodes}) => [id, nodes.map(node => node.html)]), []);
    }
}

module.exports = {Person, closeBrowser, farHost, openBrowser, password};
