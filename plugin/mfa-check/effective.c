/* SPDX-License-Identifier: Apache-2.0 */
#include "effective.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "effective_rules.h"
#include "memory.h"

/* Puts `value` (transferred) at a path of keys, joined by dots. */
static void put_at(json_t *object, const char *path, json_t *value)
{
    const size_t key_len = strcspn(path, ".");
    char *key = memory_need(strndup(path, key_len));

    if (path[key_len] == '\0') {
        memory_put(object, key, value);
    } else {
        if (json_object_get(object, key) == NULL)
            memory_put(object, key, json_object());
        put_at(json_object_get(object, key), path + key_len + 1, value);
    }
    free(key);
}

static json_t *text(const struct secrets *secrets, const char *value)
{
    return secrets_text(secrets, value, strlen(value));
}

/* --- Endpoints ---------------------------------------------------------------------------------------------------- */

/* A text that is secret as a whole. */
static json_t *hidden(const struct secrets *secrets, const char *value)
{
    return secrets_header(secrets, "secret", value);
}

static void put_headers(json_t *out, const struct secrets *secrets, const struct mfa_endpoint *endpoint)
{
    for (size_t i = 0; i < endpoint->header_count; i++)
        memory_put(out, endpoint->headers[i].name,
                   secrets_header(secrets, endpoint->headers[i].name, mfa_template_text(endpoint->headers[i].value)));
}

/* What the token's own endpoint says in our words. */
static json_t *oauth2(const struct secrets *secrets, const struct mfa_endpoint *token)
{
    const bool is_basic = mfa_endpoint_has_header(token, "authorization");
    json_t *out = memory_need_json(json_object());

    memory_put(out, "tokenUrl", text(secrets, mfa_template_text(token->url)));
    memory_put(out, "clientId", json_string("***"));
    memory_put(out, "clientSecret", json_string("***"));
    memory_put(out, "credentials", json_string(is_basic ? "basic" : "body"));
    return out;
}

/* `provider` is "aws:amz:REGION:SERVICE". */
static json_t *aws4(const struct secrets *secrets, const struct mfa_sign_aws4 *sign)
{
    const char *region = sign->provider + strlen("aws:amz:");
    const char *service = strchr(region, ':') + 1;
    json_t *out = memory_need_json(json_object());

    memory_put(out, "region", json_stringn(region, (size_t)(service - 1 - region)));
    memory_put(out, "service", json_string(service));
    memory_put(out, "accessKeyId", hidden(secrets, sign->access_key_id));
    memory_put(out, "secretAccessKey", hidden(secrets, sign->secret_access_key_secret));
    return out;
}

static json_t *ovh(const struct secrets *secrets, const struct mfa_sign_ovh *sign)
{
    json_t *out = memory_need_json(json_object());

    memory_put(out, "applicationKey", hidden(secrets, sign->application_key));
    memory_put(out, "applicationSecret", hidden(secrets, sign->application_secret_secret));
    memory_put(out, "consumerKey", hidden(secrets, sign->consumer_key_secret));
    return out;
}

static json_t *one_endpoint(const struct secrets *secrets, const struct mfa_endpoint *endpoint)
{
    json_t *out = memory_need_json(json_object());

    memory_put(out, "url", text(secrets, mfa_template_text(endpoint->url)));
    memory_put(out, "method", json_string(mfa_http_method_name(endpoint->method)));
    if (endpoint->header_count > 0) {
        memory_put(out, "headers", json_object());
        put_headers(json_object_get(out, "headers"), secrets, endpoint);
    }
    if (endpoint->body != NULL)
        memory_put(out, "body", text(secrets, mfa_template_text(endpoint->body)));
    if (endpoint->token != NULL)
        put_at(out, "auth.oauth2", oauth2(secrets, endpoint->token));
    if (endpoint->sign.aws4.provider != NULL)
        put_at(out, "sign.aws4", aws4(secrets, &endpoint->sign.aws4));
    if (endpoint->sign.ovh.application_key != NULL)
        put_at(out, "sign.ovh", ovh(secrets, &endpoint->sign.ovh));
    memory_put(out, "timeoutMs", json_integer(endpoint->timeout_ms));
    memory_put(out, "connectTimeoutMs", json_integer(endpoint->connect_timeout_ms));
    effective_put_rules(out, secrets, &endpoint->rules);
    return out;
}

static json_t *endpoint_with_fallbacks(const struct secrets *secrets, const struct mfa_endpoint *endpoint)
{
    json_t *out = one_endpoint(secrets, endpoint);

    if (endpoint->fallback != NULL)
        memory_put(out, "fallback", json_array());
    for (endpoint = endpoint->fallback; endpoint != NULL; endpoint = endpoint->fallback)
        memory_append(json_object_get(out, "fallback"), one_endpoint(secrets, endpoint));
    return out;
}

static void put_endpoints(json_t *out, const struct subject *subject)
{
    const struct {
        const char *path;
        const struct mfa_endpoint *endpoint;
    } endpoints[] = {{"sms.endpoints.single", &subject->config.single},
                     {"sms.endpoints.challenge", &subject->config.challenge},
                     {"sms.endpoints.verify", &subject->config.verify}};

    for (size_t i = 0; i < sizeof endpoints / sizeof endpoints[0]; i++)
        if (endpoints[i].endpoint->url != NULL)
            put_at(out, endpoints[i].path, endpoint_with_fallbacks(&subject->secrets, endpoints[i].endpoint));
}

/* --- The rest ----------------------------------------------------------------------------------------------------- */

static void put_policy(json_t *out, const struct mfa_policy *policy)
{
    for (size_t i = 0; i < mfa_policy_limit_count; i++) {
        uint32_t number = 0;

        memcpy(&number, (const char *)policy + mfa_policy_limits[i].offset, sizeof number);
        put_at(out, mfa_policy_limits[i].key, json_integer(number));
    }
}

/* The line for autofill stands behind each text, and is said once. */
static json_t *message_text(const struct subject *subject, const char *message)
{
    char *line = subject->domain != NULL ? memory_text("\n\n@%s #{{ code }}", subject->domain) : NULL;
    const size_t line_len = line != NULL ? strlen(line) : 0;

    free(line);
    return secrets_text(&subject->secrets, message, strlen(message) - line_len);
}

static void put_messages(json_t *out, const struct subject *subject)
{
    const struct mfa_messages *messages = &subject->config.messages;

    if (messages->count > 0)
        put_at(out, "sms.messages", json_object());
    for (size_t i = 0; i < messages->count; i++)
        memory_put(json_object_get(json_object_get(out, "sms"), "messages"), messages->list[i].language,
                   message_text(subject, messages->list[i].text));
    if (subject->domain != NULL)
        put_at(out, "sms.webOtpDomain", text(&subject->secrets, subject->domain));
}

json_t *effective_section(const struct subject *subject)
{
    const struct mfa_config *config = &subject->config;
    json_t *out = memory_need_json(json_object());

    memory_put(out, "mode", json_string(mfa_mode_name(config->mode)));
    put_policy(out, &config->policy);
    put_messages(out, subject);
    put_endpoints(out, subject);
    put_at(out, "stepUp.required", json_boolean(config->step_up_is_required));
    put_at(out, "recovery.mode", json_string(config->recovery_mode == MFA_RECOVERY_CONSUME ? "consume" : "deactivate"));
    memory_put(out, "presetsDirectory", text(&subject->secrets, subject->presets_directory));
    return out;
}
