/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_template.h"

#include <stdlib.h>
#include <string.h>

#include "mfa_encode.h"
#include "mfa_filter.h"
#include "mfa_placeholder.h"
#include "mfa_policy.h"
#include "mfa_url.h"

/* Longest text of a number. */
#define NUMBER_MAX_LEN 64

/* Longest value in which `{{ code }}` is replaced; as long as user data may be, with room for the codes. */
#define REPLACED_MAX_LEN ((size_t)2 * MFA_USER_DATA_MAX_LEN)

/* Longest value between filters. */
#define FILTERED_MAX_LEN ((size_t)8 * REPLACED_MAX_LEN)

/* Literal text and the placeholder behind it; both lie in the template's own copy of the text. */
struct segment {
    const char *literal;
    size_t literal_len;
    const char *name; /* NUL-terminated; NULL: the text ends here */
    bool is_code;
    mfa_encode_fn *filters[MFA_PLACEHOLDER_MAX_FILTERS]; /* applied first */
    size_t filter_count;
    mfa_encode_fn *encode; /* for the place */
    bool takes_parts;      /* of a value, one by one: then no escape begins before `{{ code }}` and ends in the code */
};

struct mfa_template {
    char *written_secret; /* the operator may have put credentials into it */
    char *text_secret;    /* the same, with a NUL behind each name */
    size_t text_len;
    size_t literal_len; /* of all segments together */
    size_t path_at;     /* URL: bytes before the path, all literal */
    bool path_varies;   /* URL: a value may put dots into the path */
    struct segment *segments;
    size_t segment_count;
};

/* --- Places ---------------------------------------------------------------------------------------------------- */

/* Where in the text the parser is, as far as the literal text tells. */
struct place {
    enum mfa_template_kind kind;
    bool in_query;        /* URL */
    bool in_string;       /* JSON */
    bool after_backslash; /* JSON, in a string */
};

static void advance_json(struct place *place, char c)
{
    if (place->after_backslash)
        place->after_backslash = false;
    else if (c == '\\')
        place->after_backslash = place->in_string;
    else if (c == '"')
        place->in_string = !place->in_string;
}

static void advance(struct place *place, const char *literal, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (place->kind == MFA_TEMPLATE_JSON)
            advance_json(place, literal[i]);
        else if (literal[i] == '?')
            place->in_query = true;
}

static mfa_encode_fn *encoding_of(const struct place *place)
{
    switch (place->kind) {
    case MFA_TEMPLATE_URL: return place->in_query ? mfa_encode_query : mfa_encode_path;
    case MFA_TEMPLATE_HEADER: return mfa_encode_header;
    case MFA_TEMPLATE_FORM: return mfa_encode_query;
    case MFA_TEMPLATE_JSON: return place->in_string ? mfa_encode_json_string : mfa_encode_json_value;
    case MFA_TEMPLATE_XML: return mfa_encode_xml;
    case MFA_TEMPLATE_POINTER: return mfa_encode_pointer;
    case MFA_TEMPLATE_PLAIN: return mfa_encode_plain;
    case MFA_TEMPLATE_COMPARED: return mfa_encode_raw;
    }
    return mfa_encode_plain;
}

static mfa_encode_fn *raw_encoding_of(const struct place *place)
{
    switch (place->kind) {
    case MFA_TEMPLATE_URL: return mfa_encode_raw_url;
    case MFA_TEMPLATE_HEADER: return mfa_encode_header;
    default: return mfa_encode_raw;
    }
}

/* Takes over the filters of a placeholder. One that is the place's own encoding would apply twice. */
static void set_encoding(struct segment *segment, const struct mfa_placeholder *placeholder, const struct place *place)
{
    const size_t count = placeholder->filter_count;
    const struct mfa_filter *last = count > 0 ? placeholder->filters[count - 1] : NULL;

    segment->encode = encoding_of(place);
    for (size_t i = 0; i + 1 < count; i++)
        segment->filters[segment->filter_count++] = placeholder->filters[i]->apply;
    if (last == NULL || last->apply == segment->encode)
        return;
    if (last->apply == NULL)
        segment->encode = raw_encoding_of(place);
    else if (last->apply == mfa_encode_json_string && segment->encode == mfa_encode_json_value)
        segment->encode = mfa_encode_json_quoted;
    else
        segment->filters[segment->filter_count++] = last->apply;
}

static bool is_of_the_whole(mfa_encode_fn *encoding)
{
    return encoding == mfa_encode_json_value || encoding == mfa_encode_json_quoted || encoding == mfa_filter_digits ||
           encoding == mfa_filter_e164 || encoding == mfa_filter_base64;
}

static bool can_take_parts(const struct segment *segment)
{
    for (size_t i = 0; i < segment->filter_count; i++)
        if (is_of_the_whole(segment->filters[i]))
            return false;
    return !is_of_the_whole(segment->encode);
}

/* --- Parsing --------------------------------------------------------------------------------------------------- */

static size_t count_openings(const char *text)
{
    size_t count = 0;

    for (const char *at = strstr(text, "{{"); at != NULL; at = strstr(at + 2, "{{"))
        count++;
    return count;
}

static enum mfa_status template_new(struct mfa_template **out, const char *text)
{
    struct mfa_template *tmpl = calloc(1, sizeof *tmpl);

    if (tmpl == NULL)
        return MFA_ERR_MEMORY;
    tmpl->written_secret = strdup(text);
    tmpl->text_secret = strdup(text);
    tmpl->text_len = strlen(text);
    tmpl->segments = calloc(count_openings(text) + 1, sizeof *tmpl->segments);
    if (tmpl->written_secret == NULL || tmpl->text_secret == NULL || tmpl->segments == NULL) {
        mfa_template_free(tmpl);
        return MFA_ERR_MEMORY;
    }
    *out = tmpl; /* transferred */
    return MFA_OK;
}

void mfa_template_free(struct mfa_template *tmpl)
{
    if (tmpl == NULL)
        return;
    mfa_secret_free(tmpl->written_secret, tmpl->text_len);
    mfa_secret_free(tmpl->text_secret, tmpl->text_len);
    free(tmpl->segments);
    free(tmpl);
}

static enum mfa_status split(struct mfa_template *tmpl, enum mfa_template_kind kind, const char **problem)
{
    struct place place = {.kind = kind};
    char *at = tmpl->text_secret;
    const char *end = at + tmpl->text_len;

    for (;;) {
        struct segment *segment = &tmpl->segments[tmpl->segment_count++];
        char *opening = strstr(at, "{{");
        struct mfa_placeholder placeholder;

        segment->literal = at;
        segment->literal_len = opening == NULL ? (size_t)(end - at) : (size_t)(opening - at);
        tmpl->literal_len += segment->literal_len;
        if (opening == NULL)
            return MFA_OK;
        *problem = mfa_placeholder_parse(&placeholder, opening, end);
        if (*problem != NULL)
            return MFA_ERR_SYNTAX;
        advance(&place, segment->literal, segment->literal_len);
        segment->is_code = mfa_placeholder_is(&placeholder, MFA_VARIABLE_CODE);
        set_encoding(segment, &placeholder, &place);
        segment->takes_parts = can_take_parts(segment);
        tmpl->path_varies |= kind == MFA_TEMPLATE_URL && !place.in_query;
        segment->name = placeholder.name;
        at = opening + placeholder.len;
        /* What follows the name is a blank or a brace of the placeholder, and has been read. */
        opening[(size_t)(placeholder.name - opening) + placeholder.name_len] = '\0';
    }
}

/* --- What each kind asks of its literal text ------------------------------------------------------------------- */

static const char *url_literal_problem(const char *literal, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)literal[i] <= 0x20 || literal[i] == 0x7f)
            return "has a space or control character: write it as %20, %0A, ...";
        if (literal[i] == '#')
            return "has a fragment, which is never sent: remove the \"#\" and what follows it, or write it as %23";
    }
    return NULL;
}

static const char *path_problem(const char *path)
{
    return mfa_url_has_dot_segment(path, strcspn(path, "?"))
               ? "has a \".\" or \"..\" segment in its path: write the path without it"
               : NULL;
}

/* `text` is the whole template, placeholders included: they contain no character that tells the parts of a URL. */
static enum mfa_status check_url(struct mfa_template *tmpl, const char *text, const char **problem)
{
    struct mfa_url_origin origin;
    enum mfa_status status = mfa_url_parse_origin(&origin, text, problem);

    if (status == MFA_ERR_MEMORY)
        return status;
    if (tmpl->segments[0].literal_len < origin.len)
        *problem = "has a variable before the path: user data must not choose whom the request goes to";
    else if (status == MFA_OK)
        *problem = path_problem(text + origin.len);
    for (size_t i = 0; i < tmpl->segment_count && *problem == NULL; i++) {
        *problem = url_literal_problem(tmpl->segments[i].literal, tmpl->segments[i].literal_len);
    }
    tmpl->path_at = origin.len;
    return *problem == NULL ? MFA_OK : MFA_ERR_SYNTAX;
}

static enum mfa_status check_header(const struct mfa_template *tmpl, const char **problem)
{
    for (size_t i = 0; i < tmpl->segment_count; i++) {
        const struct segment *segment = &tmpl->segments[i];

        for (size_t j = 0; j < segment->literal_len; j++) {
            if (segment->literal[j] < 0x20 || segment->literal[j] > 0x7e) {
                *problem = "has a character that a header cannot carry: only printable ASCII and spaces can stand here";
                return MFA_ERR_SYNTAX;
            }
        }
    }
    return MFA_OK;
}

/* Stand-ins for the values that fit nowhere else: `x` completes no escape, `null` no number. */
static enum mfa_status render_json_sample(const struct mfa_template *tmpl, struct mfa_buffer *out)
{
    enum mfa_status status = MFA_OK;

    for (size_t i = 0; i < tmpl->segment_count && status == MFA_OK; i++) {
        const struct segment *segment = &tmpl->segments[i];

        status = mfa_buffer_append(out, segment->literal, segment->literal_len);
        if (status == MFA_OK && segment->name != NULL)
            status = mfa_buffer_append_text(out, segment->encode == mfa_encode_json_string ? "x" : "null");
    }
    return status;
}

static enum mfa_status check_json(const struct mfa_template *tmpl, const char **problem)
{
    struct mfa_buffer sample_secret;
    enum mfa_status status;

    for (size_t i = 0; i < tmpl->segment_count; i++) {
        if (tmpl->segments[i].is_code && tmpl->segments[i].encode == mfa_encode_json_value) {
            *problem =
                "has {{ code }} where JSON has a number, which cannot begin with 0 as a code can: put quotes around it";
            return MFA_ERR_SYNTAX;
        }
    }
    mfa_buffer_init(&sample_secret, SIZE_MAX);
    status = render_json_sample(tmpl, &sample_secret);
    if (status == MFA_OK)
        status = mfa_encode_check_json(sample_secret.data, sample_secret.len, 0);
    if (status == MFA_ERR_SYNTAX)
        *problem = "is read as JSON (because of its content-type, or else its first character) and is not valid JSON";
    mfa_buffer_clear(&sample_secret);
    return status;
}

static enum mfa_status check(struct mfa_template *tmpl, enum mfa_template_kind kind, const char *text,
                             const char **problem)
{
    switch (kind) {
    case MFA_TEMPLATE_URL: return check_url(tmpl, text, problem);
    case MFA_TEMPLATE_HEADER: return check_header(tmpl, problem);
    case MFA_TEMPLATE_JSON: return check_json(tmpl, problem);
    case MFA_TEMPLATE_FORM:
    case MFA_TEMPLATE_XML:
    case MFA_TEMPLATE_POINTER:
    case MFA_TEMPLATE_PLAIN:
    case MFA_TEMPLATE_COMPARED: return MFA_OK;
    }
    return MFA_ERR_ARGUMENT;
}

enum mfa_status mfa_template_parse(struct mfa_template **out, const char *text, enum mfa_template_kind kind,
                                   const char **problem)
{
    struct mfa_template *tmpl = NULL;
    enum mfa_status status;

    *out = NULL;
    *problem = NULL;
    status = template_new(&tmpl, text);
    if (status == MFA_OK)
        status = split(tmpl, kind, problem);
    if (status == MFA_OK)
        status = check(tmpl, kind, text, problem);
    if (status != MFA_OK) {
        mfa_template_free(tmpl);
        return status;
    }
    *out = tmpl; /* transferred */
    return MFA_OK;
}

/* --- Rendering ------------------------------------------------------------------------------------------------- */

/* Applies the filters from the first on, then the encoding of the place. */
static enum mfa_status filter_and_encode(const struct segment *segment, const char *value, size_t len,
                                         struct mfa_buffer *out)
{
    struct mfa_buffer secrets[2]; /* what one filter leaves the next one reads */
    enum mfa_status status = MFA_OK;

    mfa_buffer_init(&secrets[0], FILTERED_MAX_LEN);
    mfa_buffer_init(&secrets[1], FILTERED_MAX_LEN);
    for (size_t i = 0; i < segment->filter_count && status == MFA_OK; i++) {
        struct mfa_buffer *to = &secrets[i % 2];

        mfa_buffer_reset(to);
        status = segment->filters[i](to, value, len);
        value = to->data != NULL ? to->data : "";
        len = to->len;
    }
    if (status == MFA_OK)
        status = segment->encode(out, value, len);
    mfa_buffer_clear(&secrets[0]);
    mfa_buffer_clear(&secrets[1]);
    return status;
}

static enum mfa_status encode(const struct segment *segment, const char *value, size_t len, struct mfa_buffer *out)
{
    return segment->filter_count == 0 ? segment->encode(out, value, len) : filter_and_encode(segment, value, len, out);
}

/* `segment` NULL: as it is. */
static enum mfa_status put_part(const struct segment *segment, struct mfa_buffer *out, const char *part, size_t len)
{
    if (len == 0)
        return MFA_OK;
    return segment != NULL ? encode(segment, part, len, out) : mfa_buffer_append(out, part, len);
}

/* Replaces `{{ code }}` in a value, once: neither a code nor what it completes is looked at again. `at` is where the first
 * two opening braces stand. */
static enum mfa_status replace_code(const struct segment *segment, struct mfa_buffer *out, const char *value,
                                    size_t len, const char *at, const char *code_secret)
{
    const char *end = value + len;
    const char *done = value;
    enum mfa_status status = MFA_OK;

    for (; status == MFA_OK && at != NULL; at = mfa_placeholder_find(at, end)) {
        const size_t placeholder_len = mfa_placeholder_len_of(MFA_VARIABLE_CODE, at, end);

        if (placeholder_len == 0) {
            at++;
            continue;
        }
        status = put_part(segment, out, done, (size_t)(at - done));
        if (status == MFA_OK)
            status = put_part(segment, out, code_secret, strlen(code_secret));
        at += placeholder_len;
        done = at;
    }
    return status == MFA_OK ? put_part(segment, out, done, (size_t)(end - done)) : status;
}

static enum mfa_status render_replaced(const struct segment *segment, const char *text, size_t len, const char *at,
                                       const char *code_secret, struct mfa_buffer *out)
{
    struct mfa_buffer whole_secret;
    enum mfa_status status;

    if (segment->takes_parts)
        return replace_code(segment, out, text, len, at, code_secret);
    mfa_buffer_init(&whole_secret, REPLACED_MAX_LEN);
    status = replace_code(NULL, &whole_secret, text, len, at, code_secret);
    if (status == MFA_OK)
        status = encode(segment, whole_secret.data, whole_secret.len, out);
    mfa_buffer_clear(&whole_secret);
    return status;
}

static enum mfa_status render_text(const struct segment *segment, const json_t *value,
                                   const struct mfa_variables *variables, struct mfa_buffer *out)
{
    const char *text = json_string_value(value);
    const size_t len = json_string_length(value);
    const char *braces = variables->code_in_values ? mfa_placeholder_find(text, text + len) : NULL;

    if (braces == NULL)
        return encode(segment, text, len, out);
    if (variables->code_secret == NULL)
        return MFA_ERR_NOT_FOUND;
    return render_replaced(segment, text, len, braces, variables->code_secret, out);
}

static enum mfa_status render_number(const struct segment *segment, const json_t *value, struct mfa_buffer *out)
{
    char text[NUMBER_MAX_LEN];
    /* 15 significant digits are those a double gives back as they were written. */
    const size_t len = json_dumpb(value, text, sizeof text, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));

    if (len == 0 || len > sizeof text)
        return MFA_ERR_INTERNAL;
    return encode(segment, text, len, out);
}

static enum mfa_status render_variable(const struct segment *segment, const struct mfa_variables *variables,
                                       struct mfa_buffer *out)
{
    const json_t *value;

    if (segment->is_code) {
        if (variables->code_secret == NULL)
            return MFA_ERR_NOT_FOUND;
        return encode(segment, variables->code_secret, strlen(variables->code_secret), out);
    }
    value = json_object_get(variables->user_data, segment->name);
    if (value == NULL)
        return MFA_ERR_NOT_FOUND;
    if (json_is_string(value))
        return render_text(segment, value, variables, out);
    if (json_is_number(value) || json_is_boolean(value))
        return render_number(segment, value, out);
    return MFA_ERR_REFUSED;
}

enum mfa_status mfa_template_render(const struct mfa_template *tmpl, const struct mfa_variables *variables,
                                    struct mfa_buffer *out)
{
    const size_t start = out->len;
    enum mfa_status status = mfa_buffer_reserve(out, tmpl->literal_len);

    for (size_t i = 0; i < tmpl->segment_count && status == MFA_OK; i++) {
        const struct segment *segment = &tmpl->segments[i];

        status = mfa_buffer_append(out, segment->literal, segment->literal_len);
        if (status == MFA_OK && segment->name != NULL)
            status = render_variable(segment, variables, out);
    }
    if (status == MFA_OK && tmpl->path_varies) {
        const char *path = out->data + start + tmpl->path_at;

        if (mfa_url_has_dot_segment(path, strcspn(path, "?")))
            status = MFA_ERR_REFUSED;
    }
    return status;
}

const char *mfa_template_text(const struct mfa_template *tmpl)
{
    return tmpl->written_secret;
}

const char *mfa_template_variable(const struct mfa_template *tmpl, size_t i)
{
    return i < tmpl->segment_count ? tmpl->segments[i].name : NULL;
}
