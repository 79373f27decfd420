/* SPDX-License-Identifier: Apache-2.0
 *
 * phone.js: what the stand-in communication service has shown on a phone.
 */
'use strict';

const assert = require('node:assert/strict');

/* The code in the last message to a number. */
async function codeOnPhone(number) {
    const answer = await fetch(`${process.env.GATEWAY_URL}/phone/${number}`);
    const {messages} = await answer.json();
    assert.ok(messages.length > 0, `no message came to ${number}`);
    return messages.at(-1).text.match(/[0-9]{4,10}$/)[0];
}

/* Another code of the same length. */
function wrongCode(code) {
    return [...code].map(digit => (Number(digit) + 1) % 10).join('');
}

module.exports = {codeOnPhone, wrongCode};
