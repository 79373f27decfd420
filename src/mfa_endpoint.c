/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_endpoint.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mfa_buffer.h"
#include "mfa_filter.h"

static const char *const method_names[] = {[MFA_HTTP_GET] = "GET",
                                           [MFA_HTTP_POST] = "POST",
                                           [MFA_HTTP_PUT] = "PUT",
                                           [MFA_HTTP_PATCH] = "PATCH",
                                           [MFA_HTTP_DELETE] = "DELETE"};

const char *mfa_http_method_name(enum mfa_http_method method)
{
    return method_names[method];
}

static void clear_one(struct mfa_endpoint *endpoint)
{
    mfa_template_free(endpoint->url);
    mfa_template_free(endpoint->body);
    for (size_t i = 0; i < endpoint->header_count; i++) {
        free(endpoint->headers[i].name);
        mfa_template_free(endpoint->headers[i].value);
    }
    mfa_sign_clear(&endpoint->sign);
    mfa_rules_clear(&endpoint->rules);
    if (endpoint->token != NULL)
        mfa_endpoint_clear(endpoint->token);
    free(endpoint->token);
}

void mfa_endpoint_clear(struct mfa_endpoint *endpoint)
{
    struct mfa_endpoint *fallback = endpoint->fallback;

    clear_one(endpoint);
    *endpoint = (struct mfa_endpoint){0};
    while (fallback != NULL) {
        struct mfa_endpoint *next = fallback->fallback;

        clear_one(fallback);
        free(fallback);
        fallback = next;
    }
}

/* --- Making one from text -------------------------------------------------------------------------------------- */

enum mfa_status mfa_endpoint_set_url(struct mfa_endpoint *endpoint, const char *text, const char **problem)
{
    struct mfa_url_origin origin;
    struct mfa_template *url = NULL;
    enum mfa_status status = mfa_template_parse(&url, text, MFA_TEMPLATE_URL, problem);

    if (status == MFA_OK)
        status = mfa_url_parse_origin(&origin, text, problem);
    if (status != MFA_OK) {
        mfa_template_free(url);
        return status;
    }
    endpoint->origin = origin;
    endpoint->url = url; /* transferred */
    return MFA_OK;
}

static bool is_token(const char *name)
{
    static const char token_characters[] = "!#$%&'*+-.^_`|~0123456789"
                                           "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    return *name != '\0' && name[strspn(name, token_characters)] == '\0';
}

/* Headers that frame the message or belong to the connection (RFC 9110, 7.2, 7.6.1, 8.6, 10.1.1): set by the client of
 * HTTP alone, since two opinions about where a request ends are a smuggled request. */
static bool is_ours_alone(const char *name)
{
    static const char *const names[] = {
        "connection",        "content-length", "expect",          "host", "keep-alive", "te", "trailer",
        "transfer-encoding", "upgrade",        "proxy-connection"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcasecmp(names[i], name) == 0)
            return true;
    return false;
}

bool mfa_endpoint_has_header(const struct mfa_endpoint *endpoint, const char *name)
{
    for (size_t i = 0; i < endpoint->header_count; i++)
        if (strcasecmp(endpoint->headers[i].name, name) == 0)
            return true;
    return false;
}

static const char *header_problem(const struct mfa_endpoint *endpoint, const char *name, const char *value)
{
    if (!is_token(name))
        return "is not the name of a header: it may hold letters, digits and - _ . but no space and no colon";
    if (is_ours_alone(name))
        return "is set by the HTTP client itself: remove it";
    if (mfa_endpoint_has_header(endpoint, name))
        return "is there twice, whatever the case of its letters: keep one";
    if (value[strspn(value, " ")] == '\0')
        return "must not be empty: give it a value or remove it";
    if (endpoint->header_count == MFA_ENDPOINT_MAX_HEADERS)
        return "is one header too many: at most 32 are sent";
    return NULL;
}

static bool equals(const char *text, size_t len, const char *other)
{
    return len == strlen(other) && strncasecmp(text, other, len) == 0;
}

static bool has_in_subtype(const char *type, size_t len, const char *word)
{
    const char *slash = memchr(type, '/', len);
    const char *found = slash != NULL ? strcasestr(slash, word) : NULL;

    return found != NULL && found < type + len;
}

/* What stands before the parameters decides (RFC 9110, 8.3.1). Besides the registered types and suffixes (RFC 6839) services
 * have names of their own, x-amz-json-1.1 or x-xml: a value in a body that is not taken for what it is could end its string. */
static enum mfa_template_kind kind_of_content_type(const char *value)
{
    const char *type = value + strspn(value, " ");
    const size_t len = strcspn(type, "; ");

    if (has_in_subtype(type, len, "json"))
        return MFA_TEMPLATE_JSON;
    if (equals(type, len, "application/x-www-form-urlencoded"))
        return MFA_TEMPLATE_FORM;
    if (has_in_subtype(type, len, "xml"))
        return MFA_TEMPLATE_XML;
    return MFA_TEMPLATE_PLAIN;
}

enum mfa_status mfa_endpoint_add_header(struct mfa_endpoint *endpoint, const char *name, const char *value,
                                        const char **problem)
{
    struct mfa_endpoint_header header = {0};
    enum mfa_status status;

    *problem = header_problem(endpoint, name, value);
    if (*problem != NULL)
        return MFA_ERR_SYNTAX;
    status = mfa_template_parse(&header.value, value, MFA_TEMPLATE_HEADER, problem);
    if (status != MFA_OK)
        return status;
    header.name = strdup(name);
    if (header.name == NULL) {
        mfa_template_free(header.value);
        return MFA_ERR_MEMORY;
    }
    if (strcasecmp(name, "content-type") == 0) {
        endpoint->has_content_type = true;
        endpoint->body_kind = kind_of_content_type(value);
    }
    endpoint->headers[endpoint->header_count++] = header; /* transferred */
    return MFA_OK;
}

/* Adds `authorization: SCHEME CREDENTIALS`. */
static enum mfa_status add_authorization(struct mfa_endpoint *endpoint, const char *scheme, const char *secret,
                                         const char **problem)
{
    struct mfa_buffer value_secret;
    enum mfa_status status;

    mfa_buffer_init(&value_secret, MFA_ENDPOINT_HEADER_MAX_LEN);
    status = mfa_buffer_append_text(&value_secret, scheme);
    if (status == MFA_OK)
        status = mfa_buffer_append_text(&value_secret, secret);
    if (status == MFA_OK)
        status = mfa_endpoint_add_header(endpoint, "authorization", value_secret.data, problem);
    mfa_buffer_clear(&value_secret);
    return status;
}

enum mfa_status mfa_endpoint_add_basic(struct mfa_endpoint *endpoint, const char *user, const char *password_secret,
                                       const char **problem)
{
    struct mfa_buffer pair_secret;
    struct mfa_buffer encoded_secret;
    enum mfa_status status;

    *problem = NULL;
    mfa_buffer_init(&pair_secret, MFA_ENDPOINT_HEADER_MAX_LEN);
    mfa_buffer_init(&encoded_secret, 2 * MFA_ENDPOINT_HEADER_MAX_LEN);
    status = mfa_buffer_append_text(&pair_secret, user);
    if (status == MFA_OK)
        status = mfa_buffer_append_text(&pair_secret, ":");
    if (status == MFA_OK)
        status = mfa_buffer_append_text(&pair_secret, password_secret);
    if (status == MFA_OK)
        status = mfa_filter_base64(&encoded_secret, pair_secret.data, pair_secret.len);
    if (status == MFA_OK)
        status = add_authorization(endpoint, "Basic ", encoded_secret.data, problem);
    mfa_buffer_clear(&pair_secret);
    mfa_buffer_clear(&encoded_secret);
    return status;
}

enum mfa_status mfa_endpoint_add_bearer(struct mfa_endpoint *endpoint, const char *token_secret, const char **problem)
{
    *problem = NULL;
    return add_authorization(endpoint, "Bearer ", token_secret, problem);
}

/* A text that begins with a placeholder says nothing about itself. */
static enum mfa_template_kind kind_of_text(const char *text)
{
    const char *first = text + strspn(text, " \t\r\n");

    if (*first == '<')
        return MFA_TEMPLATE_XML;
    if (*first == '[' || (*first == '{' && first[1] != '{'))
        return MFA_TEMPLATE_JSON;
    return MFA_TEMPLATE_PLAIN;
}

enum mfa_status mfa_endpoint_set_body(struct mfa_endpoint *endpoint, const char *text, const char **problem)
{
    *problem = NULL;
    if (*text == '\0')
        return MFA_OK;
    return mfa_template_parse(&endpoint->body, text,
                              endpoint->has_content_type ? endpoint->body_kind : kind_of_text(text), problem);
}

/* --- Asking about it ------------------------------------------------------------------------------------------- */

static size_t template_count(const struct mfa_endpoint *endpoint)
{
    return endpoint->header_count + 2;
}

/* The i-th template, or NULL where the endpoint has none. */
static const struct mfa_template *template_at(const struct mfa_endpoint *endpoint, size_t i)
{
    if (i == 0)
        return endpoint->url;
    return i == 1 ? endpoint->body : endpoint->headers[i - 2].value;
}

static const char *variable_of(const struct mfa_template *tmpl, size_t i)
{
    return tmpl == NULL ? NULL : mfa_template_variable(tmpl, i);
}

const char *mfa_endpoint_variable(const struct mfa_endpoint *endpoint, size_t i)
{
    for (size_t at = 0; at < template_count(endpoint); at++) {
        const struct mfa_template *tmpl = template_at(endpoint, at);

        for (size_t j = 0; variable_of(tmpl, j) != NULL; j++, i--)
            if (i == 0)
                return variable_of(tmpl, j);
    }
    return NULL;
}

bool mfa_endpoint_uses(const struct mfa_endpoint *endpoint, const char *variable)
{
    const char *name;

    for (size_t i = 0; (name = mfa_endpoint_variable(endpoint, i)) != NULL; i++)
        if (strcmp(name, variable) == 0)
            return true;
    return false;
}

static bool has_value(const json_t *user_data, const char *name)
{
    const json_t *value = json_object_get(user_data, name);

    return json_is_string(value) ? json_string_length(value) > 0 : json_is_number(value) || json_is_boolean(value);
}

static bool is_provided(const struct mfa_endpoint *challenge, const char *name)
{
    return strcmp(name, MFA_VARIABLE_CODE) == 0 || strcmp(name, MFA_VARIABLE_NONCE) == 0 ||
           (challenge != NULL && mfa_rules_captures(&challenge->rules, name));
}

/* Variables of the templates, then those of the rules. */
static const char *any_variable(const struct mfa_endpoint *endpoint, size_t i)
{
    size_t count = 0;

    while (mfa_endpoint_variable(endpoint, count) != NULL)
        count++;
    return i < count ? mfa_endpoint_variable(endpoint, i) : mfa_rules_variable(&endpoint->rules, i - count);
}

bool mfa_endpoint_uses_anywhere(const struct mfa_endpoint *endpoint, const char *variable)
{
    const char *name;

    for (size_t i = 0; (name = any_variable(endpoint, i)) != NULL; i++)
        if (strcmp(name, variable) == 0)
            return true;
    return false;
}

const char *mfa_endpoint_missing_variable(const struct mfa_endpoint *endpoint, const struct mfa_endpoint *challenge,
                                          const json_t *user_data)
{
    const char *name;

    for (size_t i = 0; (name = any_variable(endpoint, i)) != NULL; i++)
        if (!is_provided(challenge, name) && !has_value(user_data, name))
            return name;
    return NULL;
}

/* --- Rendering ------------------------------------------------------------------------------------------------- */

static enum mfa_status render_text(char **out, size_t *len, const struct mfa_template *tmpl,
                                   const struct mfa_variables *variables, size_t max_len)
{
    struct mfa_buffer buffer;
    enum mfa_status status;

    mfa_buffer_init(&buffer, max_len);
    status = mfa_template_render(tmpl, variables, &buffer);
    if (status == MFA_OK)
        *out = mfa_buffer_take(&buffer, len); /* transferred */
    mfa_buffer_clear(&buffer);
    return status;
}

static enum mfa_status begin_header(struct mfa_buffer *line, const char *name)
{
    enum mfa_status status;

    mfa_buffer_init(line, MFA_ENDPOINT_HEADER_MAX_LEN);
    status = mfa_buffer_append_text(line, name);
    return status == MFA_OK ? mfa_buffer_append_text(line, ": ") : status;
}

/* Hands the line over if it has become one. */
static enum mfa_status end_header(struct mfa_http_request *request, struct mfa_buffer *line, enum mfa_status status)
{
    size_t len = 0;

    if (status == MFA_OK && request->header_count == MFA_REQUEST_MAX_HEADERS)
        status = MFA_ERR_TOO_LARGE;
    if (status == MFA_OK)
        request->header_secrets[request->header_count++] = mfa_buffer_take(line, &len); /* transferred */
    mfa_buffer_clear(line);
    return status;
}

enum mfa_status mfa_http_request_add_header(struct mfa_http_request *request, const char *name, const char *value)
{
    struct mfa_buffer line;
    enum mfa_status status = begin_header(&line, name);

    if (status == MFA_OK)
        status = mfa_buffer_append_text(&line, value);
    return end_header(request, &line, status);
}

static enum mfa_status render_header(struct mfa_http_request *request, const struct mfa_endpoint_header *header,
                                     const struct mfa_variables *variables)
{
    struct mfa_buffer line;
    enum mfa_status status = begin_header(&line, header->name);

    if (status == MFA_OK)
        status = mfa_template_render(header->value, variables, &line);
    return end_header(request, &line, status);
}

enum mfa_status mfa_endpoint_render(const struct mfa_endpoint *endpoint, const struct mfa_variables *variables,
                                    struct mfa_http_request **out)
{
    struct mfa_http_request *request = NULL;
    enum mfa_status status = MFA_ERR_ARGUMENT;

    *out = NULL;
    if (endpoint->url == NULL)
        return status;
    request = calloc(1, sizeof *request);
    if (request == NULL)
        return MFA_ERR_MEMORY;
    request->method = endpoint->method;
    request->timeout_ms = endpoint->timeout_ms;
    request->connect_timeout_ms = endpoint->connect_timeout_ms;
    status = render_text(&request->url_secret, &request->url_len, endpoint->url, variables, MFA_ENDPOINT_URL_MAX_LEN);
    if (status == MFA_OK && endpoint->body != NULL)
        status = render_text(&request->body_secret, &request->body_len, endpoint->body, variables,
                             MFA_ENDPOINT_BODY_MAX_LEN);
    for (size_t i = 0; i < endpoint->header_count && status == MFA_OK; i++)
        status = render_header(request, &endpoint->headers[i], variables);
    if (status != MFA_OK) {
        mfa_http_request_free(request);
        return status;
    }
    *out = request; /* transferred */
    return MFA_OK;
}

void mfa_http_request_free(struct mfa_http_request *request)
{
    if (request == NULL)
        return;
    mfa_secret_free(request->url_secret, request->url_len);
    mfa_secret_free(request->body_secret, request->body_len);
    for (size_t i = 0; i < request->header_count; i++)
        mfa_secret_free(request->header_secrets[i], strlen(request->header_secrets[i]));
    free(request);
}
