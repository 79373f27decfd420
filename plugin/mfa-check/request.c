/* SPDX-License-Identifier: Apache-2.0 */
#include "request.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "memory.h"

#define USER_AGENT "mfa.so/" MFA_VERSION

/* --- As JSON ------------------------------------------------------------------------------------------------------ */

static const char *header_value(const char *line)
{
    const char *value = strchr(line, ':') + 1;

    return value + strspn(value, " ");
}

static char *header_name(const char *line)
{
    return memory_need(strndup(line, strcspn(line, ":")));
}

void request_add_secrets(struct secrets *secrets, const struct mfa_http_request *request)
{
    secrets_add_from_url(secrets, request->url_secret, request->url_len);
    if (request->body_secret != NULL)
        secrets_add_from_body(secrets, request->body_secret, request->body_len);
    for (size_t i = 0; i < request->header_count; i++) {
        char *name = header_name(request->header_secrets[i]);

        secrets_add_from_header(secrets, name, header_value(request->header_secrets[i]));
        free(name);
    }
}

/* `name` and `value` are transferred. */
static void add_header(json_t *headers, json_t *name, json_t *value)
{
    json_t *header = memory_need_json(json_object());

    memory_put(header, "name", name);
    memory_put(header, "value", value);
    memory_append(headers, header);
}

/* Those of the endpoint, and what the HTTP client adds whatever the connection. */
static json_t *headers_json(const struct secrets *secrets, const struct mfa_http_request *request)
{
    json_t *headers = memory_need_json(json_array());
    bool has_agent = false;
    bool has_accept = false;

    for (size_t i = 0; i < request->header_count; i++) {
        char *name = header_name(request->header_secrets[i]);

        has_agent |= strcasecmp(name, "user-agent") == 0;
        has_accept |= strcasecmp(name, "accept") == 0;
        add_header(headers, json_string(name), secrets_header(secrets, name, header_value(request->header_secrets[i])));
        free(name);
    }
    if (!has_agent)
        add_header(headers, json_string("user-agent"), json_string(USER_AGENT));
    if (!has_accept)
        add_header(headers, json_string("accept"), json_string("*/*"));
    return headers;
}

static json_t *hidden(const struct secrets *secrets, const char *value)
{
    return secrets_header(secrets, "secret", value);
}

static json_t *aws4_json(const struct secrets *secrets, const struct mfa_sign_aws4 *aws4)
{
    json_t *out = memory_need_json(json_object());

    memory_put(out, "provider", json_string(aws4->provider));
    memory_put(out, "user", hidden(secrets, aws4->access_key_id));
    memory_put(out, "password", hidden(secrets, aws4->secret_access_key_secret));
    return out;
}

json_t *request_json(const struct secrets *secrets, const struct mfa_http_request *request)
{
    json_t *out = memory_need_json(json_object());

    memory_put(out, "method", json_string(mfa_http_method_name(request->method)));
    memory_put(out, "url", secrets_text(secrets, request->url_secret, request->url_len));
    memory_put(out, "headers", headers_json(secrets, request));
    if (request->body_secret != NULL)
        memory_put(out, "body", secrets_text(secrets, request->body_secret, request->body_len));
    if (request->aws4 != NULL)
        memory_put(out, "aws4", aws4_json(secrets, request->aws4));
    return out;
}

/* --- As a line for the shell -------------------------------------------------------------------------------------- */

static const char *member(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* Appends a blank and the word in single quotes, between which nothing but a single quote means anything. */
static void append_word(struct mfa_buffer *line, const char *word)
{
    (void)memory_checked(mfa_buffer_append_text(line, " '"));
    for (; *word != '\0'; word++)
        (void)memory_checked(mfa_buffer_append_text(line, *word == '\'' ? "'\\''" : (const char[]){*word, '\0'}));
    (void)memory_checked(mfa_buffer_append_text(line, "'"));
}

static void append_option(struct mfa_buffer *line, const char *option, char *word)
{
    (void)memory_checked(mfa_buffer_append_text(line, option));
    append_word(line, word);
    free(word);
}

/* To curl "Name:" means to leave a header out, and "Name;" to send it empty. */
static bool append_headers(struct mfa_buffer *line, const json_t *headers)
{
    const json_t *header = NULL;
    bool has_content_type = false;
    size_t i = 0;

    json_array_foreach(headers, i, header)
    {
        const char *value = member(header, "value");

        has_content_type |= strcasecmp(member(header, "name"), "content-type") == 0;
        append_option(line, " -H", memory_text(*value == '\0' ? "%s;%s" : "%s: %s", member(header, "name"), value));
    }
    return has_content_type;
}

static void append_body(struct mfa_buffer *line, const json_t *request)
{
    const char *body = member(request, "body");

    if (strcmp(member(request, "method"), "GET") == 0)
        return;
    append_option(line, " -X", memory_text("%s", member(request, "method")));
    append_option(line, " --data-raw", memory_text("%s", body != NULL ? body : ""));
}

char *request_curl(const json_t *request)
{
    const json_t *aws4 = json_object_get(request, "aws4");
    struct mfa_buffer line;
    size_t len = 0;

    mfa_buffer_init(&line, SIZE_MAX);
    (void)memory_checked(mfa_buffer_append_text(&line, "curl -q --globoff --path-as-is"));
    append_word(&line, member(request, "url"));
    if (!append_headers(&line, json_object_get(request, "headers")) && aws4 == NULL)
        append_option(&line, " -H", memory_text("content-type:"));
    if (aws4 != NULL) {
        append_option(&line, " --aws-sigv4", memory_text("%s", member(aws4, "provider")));
        append_option(&line, " --user", memory_text("%s:%s", member(aws4, "user"), member(aws4, "password")));
    }
    append_body(&line, request);
    return mfa_buffer_take(&line, &len);
}
