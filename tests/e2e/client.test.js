/* SPDX-License-Identifier: Apache-2.0
 *
 * Pryv.io's own JavaScript client, as it is published, logs in through the sample host.
 */
'use strict';

const assert = require('node:assert/strict');
const {before, test} = require('node:test');

const pryv = require('pryv');

const {codeOnPhone, wrongCode} = require('./phone.js');

const username = 'client-user';
const password = 'correct horse battery staple';
const appId = 'e2e';
const number = '41790000001';
const message = 'Your code is: {{ code }}';
const service = new pryv.Service(`${process.env.HOST_URL}/service/info`);

/* The client has methods for a login; to enrol takes two plain calls. */
async function enrol() {
    const owner = await service.login(username, password, appId);
    const {mfaToken} = await owner.post('mfa/activate', {number, message});
    const activation = new pryv.Connection(await service.apiEndpointFor(username, mfaToken));
    const {recoveryCodes} = await activation.post('mfa/confirm', {code: await codeOnPhone(number)});
    assert.equal(recoveryCodes.length, 10);
}

async function loginThatNeedsMfa() {
    try {
        await service.login(username, password, appId);
    } catch (error) {
        return error;
    }
    return assert.fail('the password was enough');
}

before(async () => {
    await service.createUser({username, password, appId, email: 'client@example.com', hosting: 'any'});
    await enrol();
});

test('login_throws_MfaRequiredError_with_the_mfaToken', async () => {
    const error = await loginThatNeedsMfa();
    assert.ok(error instanceof pryv.MfaRequiredError);
    assert.equal(typeof error.mfaToken, 'string');
    assert.deepEqual(Object.keys(error.response.body).sort(), ['meta', 'mfaToken']);
});

test('a_code_sent_again_gives_a_connection_that_reads_accessInfo', async () => {
    const {mfaToken} = await loginThatNeedsMfa();
    const first = await codeOnPhone(number);
    await service.mfaChallenge(username, mfaToken);
    const second = await codeOnPhone(number);
    assert.notEqual(second, first);

    const connection = await service.mfaVerify(username, mfaToken, second);
    assert.ok(connection instanceof pryv.Connection);
    const info = await connection.accessInfo();
    assert.equal(info.type, 'personal');
    assert.equal(info.name, appId);
    assert.equal(info.token, connection.token);
    assert.equal(await connection.username(), username);
});

test('a_wrong_code_throws_PryvError_and_the_right_one_still_works', async () => {
    const {mfaToken} = await loginThatNeedsMfa();
    const code = await codeOnPhone(number);
    await assert.rejects(service.mfaVerify(username, mfaToken, wrongCode(code)), error => {
        assert.ok(error instanceof pryv.PryvError);
        assert.equal(error.status, 400);
        assert.equal(error.id, 'invalid-parameters-format');
        assert.equal(error.response.body.error.data.id, 'invalid-mfa-code');
        return true;
    });
    await service.mfaVerify(username, mfaToken, code);
});

test('an_mfaToken_is_good_for_one_login', async () => {
    const {mfaToken} = await loginThatNeedsMfa();
    const code = await codeOnPhone(number);
    await service.mfaVerify(username, mfaToken, code);
    await assert.rejects(service.mfaVerify(username, mfaToken, code), {status: 401, id: 'invalid-access-token'});
    await assert.rejects(service.mfaChallenge(username, mfaToken), {status: 401, id: 'invalid-access-token'});
});

test('the_mfaToken_opens_nothing_by_itself', async () => {
    const {mfaToken} = await loginThatNeedsMfa();
    const connection = new pryv.Connection(await service.apiEndpointFor(username, mfaToken));
    const {error} = await connection.accessInfo();
    assert.equal(error.id, 'invalid-access-token');
});
