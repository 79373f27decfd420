/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_config_auth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mfa_encode.h"

/* The texts of a mapping with the keys `keys` (ends with NULL), the first `required` of which must be there. False: that is
 * not so, which has been reported. */
static bool read_texts(const struct mfa_yaml_node *mapping, const char *const keys[], size_t required,
                       const char *texts[])
{
    bool is_complete = mfa_yaml_check_keys(mapping, keys);

    for (size_t i = 0; is_complete && i < required; i++) {
        const struct mfa_yaml_node *node = mfa_yaml_find(mapping, keys[i]);

        texts[i] = node != NULL ? mfa_yaml_string(node) : NULL;
        if (node == NULL)
            mfa_yaml_error(mapping, "must have the key \"%s\"", keys[i]);
        else if (texts[i] != NULL && *texts[i] == '\0')
            mfa_yaml_error(node, "must not be empty");
        is_complete = texts[i] != NULL && *texts[i] != '\0';
    }
    return is_complete;
}

static enum mfa_status read_basic(struct mfa_endpoint *endpoint, const struct mfa_yaml_node *node)
{
    static const char *const keys[] = {"user", "password", NULL};
    const char *texts[2] = {NULL};
    const char *problem = NULL;
    enum mfa_status status;

    if (!read_texts(node, keys, 2, texts))
        return MFA_OK;
    if (strstr(texts[0], "{{") != NULL || strstr(texts[1], "{{") != NULL) {
        mfa_yaml_error(node, "cannot have a placeholder: the credentials are the same for all users");
        return MFA_OK;
    }
    if (strchr(texts[0], ':') != NULL) {
        mfa_yaml_error(node, "has a \":\" in \"user\", which would end it (RFC 7617, 2)");
        return MFA_OK;
    }
    status = mfa_endpoint_add_basic(endpoint, texts[0], texts[1], &problem);
    return mfa_yaml_problem(node, status, problem);
}

static enum mfa_status read_bearer(struct mfa_endpoint *endpoint, const struct mfa_yaml_node *node)
{
    const char *token = mfa_yaml_string(node);
    const char *problem = NULL;
    enum mfa_status status;

    if (token == NULL)
        return MFA_OK;
    if (*token == '\0') {
        mfa_yaml_error(node, "must not be empty");
        return MFA_OK;
    }
    status = mfa_endpoint_add_bearer(endpoint, token, &problem);
    return mfa_yaml_problem(node, status, problem);
}

/* --- OAuth 2.0: where the token comes from is an endpoint of its own (RFC 6749, 4.4.2) ------------------------------- */

struct client {
    const char *id;
    const char *secret;
    bool is_in_body; /* else in the Authorization header (RFC 6749, 2.3.1) */
};

/* Form-encoded as a whole: unlike a value of the user data, a secret with a %41 in it has not come encoded. */
static enum mfa_status append_encoded(struct mfa_buffer *out, const char *key, const char *text)
{
    enum mfa_status status = mfa_buffer_append_text(out, key);

    while (status == MFA_OK && *text != '\0') {
        const size_t len = strcspn(text, "%");

        status = len > 0 ? mfa_encode_query(out, text, len) : mfa_buffer_append_text(out, "%25");
        text += len > 0 ? len : 1;
    }
    return status;
}

static enum mfa_status set_token_body(struct mfa_endpoint *token, const struct client *client, const char **problem)
{
    struct mfa_buffer body_secret;
    enum mfa_status status;

    mfa_buffer_init(&body_secret, MFA_ENDPOINT_BODY_MAX_LEN);
    status = mfa_buffer_append_text(&body_secret, "grant_type=client_credentials");
    if (status == MFA_OK && client->is_in_body)
        status = append_encoded(&body_secret, "&client_id=", client->id);
    if (status == MFA_OK && client->is_in_body)
        status = append_encoded(&body_secret, "&client_secret=", client->secret);
    if (status == MFA_OK)
        status = mfa_endpoint_add_header(token, "content-type", "application/x-www-form-urlencoded", problem);
    if (status == MFA_OK)
        status = mfa_endpoint_set_body(token, body_secret.data, problem);
    mfa_buffer_clear(&body_secret);
    return status;
}

/* Both parts are form-encoded before they are joined (RFC 6749, 2.3.1). */
static enum mfa_status set_token_basic(struct mfa_endpoint *token, const struct client *client, const char **problem)
{
    struct mfa_buffer id;
    struct mfa_buffer secret;
    enum mfa_status status;

    mfa_buffer_init(&id, MFA_ENDPOINT_HEADER_MAX_LEN);
    mfa_buffer_init(&secret, MFA_ENDPOINT_HEADER_MAX_LEN);
    status = append_encoded(&id, "", client->id);
    if (status == MFA_OK)
        status = append_encoded(&secret, "", client->secret);
    if (status == MFA_OK)
        status = mfa_endpoint_add_basic(token, id.data, secret.data, problem);
    mfa_buffer_clear(&id);
    mfa_buffer_clear(&secret);
    return status;
}

static enum mfa_status set_token_url(struct mfa_endpoint *token, const struct mfa_yaml_node *node, const char *url)
{
    const char *problem = NULL;
    enum mfa_status status = mfa_endpoint_set_url(token, url, &problem);

    if (status == MFA_OK && mfa_endpoint_variable(token, 0) != NULL) {
        problem = "must not have a placeholder: the token is the same for all users";
        status = MFA_ERR_SYNTAX;
    }
    if (status == MFA_OK)
        mfa_config_warn_when_in_clear(node, &token->origin);
    return mfa_yaml_problem(node, status, problem);
}

static enum mfa_status set_token_client(struct mfa_endpoint *token, const struct mfa_yaml_node *node,
                                        const struct client *client)
{
    const char *problem = NULL;
    enum mfa_status status = set_token_body(token, client, &problem);

    if (status == MFA_OK && !client->is_in_body)
        status = set_token_basic(token, client, &problem);
    return mfa_yaml_problem(node, status, problem);
}

static enum mfa_status read_oauth2(struct mfa_endpoint *endpoint, const struct mfa_yaml_node *node)
{
    static const char *const keys[] = {"tokenUrl", "clientId", "clientSecret", "credentials", NULL};
    static const char *const ways[] = {"basic", "body", NULL};
    const struct mfa_yaml_node *credentials = NULL;
    const char *texts[3] = {NULL};
    struct client client = {0};
    enum mfa_status status;
    size_t way = 0;

    if (!read_texts(node, keys, 3, texts))
        return MFA_OK;
    credentials = mfa_yaml_find(node, "credentials");
    if (credentials != NULL && !mfa_yaml_choice(credentials, ways, &way))
        return MFA_OK;
    client = (struct client){.id = texts[1], .secret = texts[2], .is_in_body = way == 1};
    endpoint->token = calloc(1, sizeof *endpoint->token);
    if (endpoint->token == NULL)
        return MFA_ERR_MEMORY;
    endpoint->token->method = MFA_HTTP_POST;
    endpoint->token->timeout_ms = endpoint->timeout_ms;
    endpoint->token->connect_timeout_ms = endpoint->connect_timeout_ms;
    status = set_token_url(endpoint->token, mfa_yaml_find(node, "tokenUrl"), texts[0]);
    return status == MFA_OK ? set_token_client(endpoint->token, node, &client) : status;
}

/* The only entry of a mapping; NULL: it has none or several, which has been reported. */
static const struct mfa_yaml_node *only_entry(const struct mfa_yaml_node *mapping, const char *const keys[])
{
    if (!mfa_yaml_check_keys(mapping, keys))
        return NULL;
    if (mfa_yaml_entry(mapping, 0) != NULL && mfa_yaml_entry(mapping, 1) == NULL)
        return mfa_yaml_entry(mapping, 0);
    mfa_yaml_error(mapping, "must have exactly one key");
    return NULL;
}

void mfa_config_warn_when_in_clear(const struct mfa_yaml_node *node, const struct mfa_url_origin *origin)
{
    if (!origin->is_encrypted && !origin->is_loopback)
        mfa_yaml_warning(node, "is plain http: credentials, destinations and codes travel in clear; use https");
}

enum mfa_status mfa_config_read_auth(struct mfa_endpoint *endpoint, const struct mfa_yaml_node *node)
{
    static const char *const keys[] = {"basic", "bearer", "oauth2", NULL};
    const struct mfa_yaml_node *way = only_entry(node, keys);

    if (way == NULL)
        return MFA_OK;
    if (strcmp(mfa_yaml_key(way), "basic") == 0)
        return read_basic(endpoint, way);
    if (strcmp(mfa_yaml_key(way), "bearer") == 0)
        return read_bearer(endpoint, way);
    return strcmp(mfa_yaml_key(way), "oauth2") == 0 ? read_oauth2(endpoint, way) : MFA_OK;
}

/* --- Signatures ------------------------------------------------------------------------------------------------------ */

static enum mfa_status copy(char **out, const char *text)
{
    *out = strdup(text);
    return *out != NULL ? MFA_OK : MFA_ERR_MEMORY;
}

static enum mfa_status read_aws4(struct mfa_sign_aws4 *aws4, const struct mfa_yaml_node *node)
{
    static const char *const keys[] = {"region", "service", "accessKeyId", "secretAccessKey", NULL};
    const char *texts[4] = {NULL};
    enum mfa_status status;

    if (!read_texts(node, keys, 4, texts))
        return MFA_OK;
    for (size_t i = 0; i < 2; i++) {
        if (strspn(texts[i], "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(texts[i]))
            continue;
        mfa_yaml_error(mfa_yaml_find(node, keys[i]), "must be lower-case letters, digits and -, as AWS writes it");
        return MFA_OK;
    }
    status = copy(&aws4->access_key_id, texts[2]);
    if (status == MFA_OK)
        status = copy(&aws4->secret_access_key_secret, texts[3]);
    if (status == MFA_OK && asprintf(&aws4->provider, "aws:amz:%s:%s", texts[0], texts[1]) < 0) {
        aws4->provider = NULL;
        status = MFA_ERR_MEMORY;
    }
    return status;
}

static enum mfa_status read_ovh(struct mfa_sign_ovh *ovh, const struct mfa_yaml_node *node)
{
    static const char *const keys[] = {"applicationKey", "applicationSecret", "consumerKey", NULL};
    const char *texts[3] = {NULL};
    enum mfa_status status;

    if (!read_texts(node, keys, 3, texts))
        return MFA_OK;
    for (size_t i = 0; i < 3; i++) {
        for (const char *c = texts[i]; *c != '\0'; c++) {
            if (*c > 0x20 && *c < 0x7f)
                continue;
            mfa_yaml_error(mfa_yaml_find(node, keys[i]), "has a character that a header cannot carry");
            return MFA_OK;
        }
    }
    status = copy(&ovh->application_key, texts[0]);
    if (status == MFA_OK)
        status = copy(&ovh->application_secret_secret, texts[1]);
    return status == MFA_OK ? copy(&ovh->consumer_key_secret, texts[2]) : status;
}

enum mfa_status mfa_config_read_sign(struct mfa_sign *sign, const struct mfa_yaml_node *node)
{
    static const char *const keys[] = {"aws4", "ovh", NULL};
    const struct mfa_yaml_node *way = only_entry(node, keys);

    if (way == NULL)
        return MFA_OK;
    if (strcmp(mfa_yaml_key(way), "aws4") == 0)
        return read_aws4(&sign->aws4, way);
    return strcmp(mfa_yaml_key(way), "ovh") == 0 ? read_ovh(&sign->ovh, way) : MFA_OK;
}
