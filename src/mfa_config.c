/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_config.h"

#include <stdio.h>
#include <string.h>

#include "mfa_yaml.h"

#define PATH_MAX_LEN 64

/* Codes shorter than this need a warning: NIST SP 800-63B-4, 3.1.3. */
#define CODE_LENGTH_ADVISED 6

static const struct mfa_policy_limit endpoint_limits[] = {
    {"timeoutMs", offsetof(struct mfa_endpoint, timeout_ms), 10000, 100, 60000, NULL},
    {"connectTimeoutMs", offsetof(struct mfa_endpoint, connect_timeout_ms), 3000, 50, 60000, NULL},
};
static const size_t endpoint_limit_count = sizeof endpoint_limits / sizeof endpoint_limits[0];

static const char *const mode_names[] = {[MFA_MODE_DISABLED] = "disabled",
                                         [MFA_MODE_SINGLE] = "single",
                                         [MFA_MODE_CHALLENGE_VERIFY] = "challenge-verify",
                                         NULL};

static const char *const recovery_mode_names[] = {
    [MFA_RECOVERY_DEACTIVATE] = "deactivate", [MFA_RECOVERY_CONSUME] = "consume", NULL};

const char *mfa_mode_name(enum mfa_mode mode)
{
    return mode_names[mode];
}

void mfa_config_clear(struct mfa_config *config)
{
    mfa_endpoint_clear(&config->single);
    mfa_endpoint_clear(&config->challenge);
    mfa_endpoint_clear(&config->verify);
    *config = (struct mfa_config){0};
}

/* --- Keys ------------------------------------------------------------------------------------------------------ */

struct mapping_keys {
    const char *path;
    const char *keys[8]; /* ends with NULL */
};

static void check_keys(const struct mfa_yaml_node *root)
{
    static const struct mapping_keys mappings[] = {
        {"sms", {"endpoints", "codeLength", "codeTtlSeconds", "acceptPreviousCodes", "sendLimits"}},
        {"sms.sendLimits", {"minIntervalSeconds", "perUserPerHour", "perDestinationPerDay", "perDay"}},
        {"sms.endpoints", {"single", "challenge", "verify"}},
        {"sessions", {"ttlSeconds", "maxPending", "maxPendingPerUser"}},
        {"attempts", {"perSession", "maxConsecutive", "perAccountWindowSeconds", "backoff"}},
        {"attempts.backoff", {"freeFailures", "baseSeconds", "maxSeconds"}},
        {"stepUp", {"required"}},
        {"recovery", {"mode"}},
        {"gateway", {"maxInFlight", "maxPerHost"}},
    };
    static const char *const root_keys[] = {"mode",   "sms",      "sessions", "attempts",
                                            "stepUp", "recovery", "gateway",  NULL};

    mfa_yaml_check_keys(root, root_keys);
    for (size_t i = 0; i < sizeof mappings / sizeof mappings[0]; i++) {
        const struct mfa_yaml_node *node = mfa_yaml_find(root, mappings[i].path);

        if (node != NULL)
            mfa_yaml_check_keys(node, mappings[i].keys);
    }
}

/* --- Mode and numbers ------------------------------------------------------------------------------------------ */

/* An empty `mode:` is refused, since the operator meant to choose one. */
static void read_mode(struct mfa_config *config, const struct mfa_yaml_node *root)
{
    const struct mfa_yaml_node *node = mfa_yaml_find_key(root, "mode");
    size_t mode = MFA_MODE_DISABLED;

    if (node != NULL && mfa_yaml_choice(node, mode_names, &mode))
        config->mode = (enum mfa_mode)mode;
}

static void read_recovery_mode(struct mfa_config *config, const struct mfa_yaml_node *root)
{
    const struct mfa_yaml_node *node = mfa_yaml_find_key(root, "recovery.mode");
    size_t mode = MFA_RECOVERY_DEACTIVATE;

    if (node != NULL && mfa_yaml_choice(node, recovery_mode_names, &mode))
        config->recovery_mode = (enum mfa_recovery_mode)mode;
}

static void read_step_up(struct mfa_config *config, const struct mfa_yaml_node *root)
{
    static const char *const truths[] = {"false", "true", NULL};
    const struct mfa_yaml_node *node = mfa_yaml_find_key(root, "stepUp.required");
    size_t truth = 0;

    if (node != NULL && mfa_yaml_choice(node, truths, &truth))
        config->step_up_is_required = truth == 1;
    if (config->mode != MFA_MODE_DISABLED && !config->step_up_is_required)
        mfa_yaml_warning(root,
                         "stepUp.required is not true: whoever holds a personal token can turn MFA off or replace it "
                         "without the password");
}

static void read_number(const struct mfa_yaml_node *node, const struct mfa_policy_limit *limit, void *object)
{
    int64_t number;

    if (!mfa_yaml_integer(node, &number))
        return;
    if (number == 0 && limit->zero_means != NULL)
        mfa_yaml_warning(node, "is 0: %s", limit->zero_means);
    else if (number < limit->min || number > limit->max) {
        mfa_yaml_error(node, "must be from %u to %u%s", limit->min, limit->max,
                       limit->zero_means == NULL ? "" : ", or 0 to switch the limit off");
        return;
    }
    mfa_limit_set(limit, object, (uint32_t)number);
}

static void read_numbers(const struct mfa_yaml_node *mapping, const struct mfa_policy_limit *limits, size_t count,
                         void *object)
{
    for (size_t i = 0; i < count; i++) {
        const struct mfa_yaml_node *node = mfa_yaml_find_key(mapping, limits[i].key);

        mfa_limit_set(&limits[i], object, limits[i].fallback);
        if (node != NULL)
            read_number(node, &limits[i], object);
    }
}

static void read_policy(struct mfa_policy *policy, const struct mfa_yaml *yaml)
{
    const struct mfa_yaml_node *root = mfa_yaml_root(yaml);
    const struct mfa_yaml_node *code_ttl = mfa_yaml_find(root, "sms.codeTtlSeconds");
    const struct mfa_yaml_node *code_length = mfa_yaml_find(root, "sms.codeLength");
    const size_t errors_before = mfa_yaml_error_count(yaml);

    read_numbers(root, mfa_policy_limits, mfa_policy_limit_count, policy);
    if (code_length != NULL && policy->code_length < CODE_LENGTH_ADVISED)
        mfa_yaml_warning(code_length, "is below 6, the least that NIST SP 800-63B-4, 3.1.3 allows");
    if (policy->code_ttl_s <= policy->session_ttl_s || mfa_yaml_error_count(yaml) > errors_before)
        return;
    if (code_ttl != NULL)
        mfa_yaml_error(code_ttl, "must not be above sessions.ttlSeconds: a code ends with its session");
    policy->code_ttl_s = policy->session_ttl_s;
}

/* --- Endpoints ------------------------------------------------------------------------------------------------- */

/* One endpoint while it is read. */
struct endpoint_reader {
    struct mfa_endpoint *endpoint;
    const struct mfa_yaml *yaml;
    const struct mfa_yaml_node *mapping; /* NULL: not there */
    const char *path;                    /* "sms.endpoints.single" */
    const char *needed_by;               /* name of the mode, when it is the one chosen; else NULL */
};

/* Turns the answer of an endpoint's parser into a report. Only memory ends the reading. */
static enum mfa_status report_problem(const struct mfa_yaml_node *node, enum mfa_status status, const char *problem)
{
    if (status == MFA_OK || status == MFA_ERR_MEMORY)
        return status;
    mfa_yaml_error(node, "%s", problem);
    return MFA_OK;
}

static void read_method(const struct endpoint_reader *reader)
{
    static const char *const names[] = {[MFA_HTTP_GET] = "GET", [MFA_HTTP_POST] = "POST", NULL};
    const struct mfa_yaml_node *node = mfa_yaml_find(reader->mapping, "method");
    size_t method = MFA_HTTP_POST;

    if (node != NULL && !mfa_yaml_choice(node, names, &method))
        method = MFA_HTTP_POST;
    reader->endpoint->method = (enum mfa_http_method)method;
}

static enum mfa_status read_headers(const struct endpoint_reader *reader)
{
    const struct mfa_yaml_node *headers = mfa_yaml_find(reader->mapping, "headers");
    const struct mfa_yaml_node *node;
    enum mfa_status status = MFA_OK;

    if (headers == NULL || !mfa_yaml_is_mapping(headers))
        return MFA_OK;
    for (size_t i = 0; status == MFA_OK && (node = mfa_yaml_entry(headers, i)) != NULL; i++) {
        const char *value = mfa_yaml_string(node);
        const char *problem = NULL;

        if (value == NULL)
            continue;
        status = mfa_endpoint_add_header(reader->endpoint, mfa_yaml_key(node), value, &problem);
        status = report_problem(node, status, problem);
    }
    return status;
}

static void warn_when_in_clear(const struct mfa_yaml_node *node, const struct mfa_url_origin *origin)
{
    if (!origin->is_encrypted && !origin->is_loopback)
        mfa_yaml_warning(node, "is plain http: credentials, destinations and codes travel in clear; use https");
}

static void report_missing_url(const struct endpoint_reader *reader, const struct mfa_yaml_node *node)
{
    char path[PATH_MAX_LEN];

    if (reader->needed_by == NULL)
        return;
    (void)snprintf(path, sizeof path, "%s.url", reader->path);
    if (node != NULL)
        mfa_yaml_error(node, "must not be empty when mode is \"%s\"", reader->needed_by);
    else
        mfa_yaml_error_missing(reader->yaml, path, "must be set when mode is \"%s\"", reader->needed_by);
}

static enum mfa_status read_url(const struct endpoint_reader *reader)
{
    const struct mfa_yaml_node *node = mfa_yaml_find(reader->mapping, "url");
    const char *url = node == NULL ? "" : mfa_yaml_string(node);
    const char *problem = NULL;
    enum mfa_status status;

    if (url == NULL)
        return MFA_OK;
    if (*url == '\0') {
        report_missing_url(reader, node);
        return MFA_OK;
    }
    status = mfa_endpoint_set_url(reader->endpoint, url, &problem);
    if (status != MFA_OK)
        return report_problem(node, status, problem);
    if (reader->needed_by != NULL)
        warn_when_in_clear(node, &reader->endpoint->origin);
    return MFA_OK;
}

static enum mfa_status read_body(const struct endpoint_reader *reader)
{
    const struct mfa_yaml_node *node = mfa_yaml_find(reader->mapping, "body");
    const char *body = node == NULL ? NULL : mfa_yaml_string(node);
    const char *problem = NULL;
    enum mfa_status status;

    if (body == NULL)
        return MFA_OK;
    if (*body != '\0' && reader->endpoint->method == MFA_HTTP_GET)
        mfa_yaml_error(node, "must be empty when method is \"GET\": move its values into the url, or use \"POST\"");
    status = mfa_endpoint_set_body(reader->endpoint, body, &problem);
    return report_problem(node, status, problem);
}

static enum mfa_status read_endpoint(const struct endpoint_reader *reader)
{
    static const char *const keys[] = {"url", "method", "body", "headers", "timeoutMs", "connectTimeoutMs", NULL};
    enum mfa_status status;

    if (reader->mapping != NULL)
        mfa_yaml_check_keys(reader->mapping, keys);
    read_numbers(reader->mapping, endpoint_limits, endpoint_limit_count, reader->endpoint);
    read_method(reader);
    status = read_headers(reader);
    if (status == MFA_OK)
        status = read_url(reader);
    if (status == MFA_OK)
        status = read_body(reader);
    return status;
}

/* In challenge-verify the service makes the code: there is none to send before, and without it any would be accepted. */
static void check_use_of_code(const struct mfa_config *config, const struct mfa_yaml_node *root)
{
    const struct mfa_yaml_node *challenge = mfa_yaml_find(root, "sms.endpoints.challenge");
    const struct mfa_yaml_node *verify = mfa_yaml_find(root, "sms.endpoints.verify");

    if (config->mode != MFA_MODE_CHALLENGE_VERIFY)
        return;
    if (mfa_endpoint_uses(&config->challenge, MFA_VARIABLE_CODE))
        mfa_yaml_error(challenge, "must not use {{ code }}: the service makes the code, and it does not exist yet");
    if (!mfa_endpoint_uses(&config->verify, MFA_VARIABLE_CODE))
        mfa_yaml_error(verify, "must use {{ code }} in url, body or a header: without it any code would be accepted");
}

static enum mfa_status read_endpoints(struct mfa_config *config, const struct mfa_yaml *yaml)
{
    const struct mfa_yaml_node *root = mfa_yaml_root(yaml);
    const struct {
        const char *path;
        struct mfa_endpoint *endpoint;
        enum mfa_mode needed_by;
    } endpoints[] = {
        {"sms.endpoints.single", &config->single, MFA_MODE_SINGLE},
        {"sms.endpoints.challenge", &config->challenge, MFA_MODE_CHALLENGE_VERIFY},
        {"sms.endpoints.verify", &config->verify, MFA_MODE_CHALLENGE_VERIFY},
    };
    enum mfa_status status = MFA_OK;

    for (size_t i = 0; i < sizeof endpoints / sizeof endpoints[0] && status == MFA_OK; i++) {
        const struct endpoint_reader reader = {
            .endpoint = endpoints[i].endpoint,
            .yaml = yaml,
            .mapping = mfa_yaml_find(root, endpoints[i].path),
            .path = endpoints[i].path,
            .needed_by = config->mode == endpoints[i].needed_by ? mfa_mode_name(config->mode) : NULL,
        };

        status = read_endpoint(&reader);
    }
    return status;
}

/* --- The whole ------------------------------------------------------------------------------------------------- */

static enum mfa_status read_section(struct mfa_config *config, const struct mfa_yaml *yaml)
{
    const struct mfa_yaml_node *root = mfa_yaml_root(yaml);
    enum mfa_status status;

    if (root != NULL)
        check_keys(root);
    read_mode(config, root);
    read_recovery_mode(config, root);
    read_step_up(config, root);
    read_policy(&config->policy, yaml);
    status = read_endpoints(config, yaml);
    if (status != MFA_OK)
        return status;
    if (mfa_yaml_error_count(yaml) == 0)
        check_use_of_code(config, root);
    return mfa_yaml_error_count(yaml) == 0 ? MFA_OK : MFA_ERR_CONFIG;
}

enum mfa_status mfa_config_parse(struct mfa_config *out, const struct mfa_config_source *source,
                                 mfa_config_report_fn *report, void *report_ctx)
{
    struct mfa_yaml *yaml = NULL;
    enum mfa_status status;

    *out = (struct mfa_config){0};
    status = mfa_yaml_parse(&yaml, source, report, report_ctx);
    if (status == MFA_OK)
        status = read_section(out, yaml);
    mfa_yaml_free(yaml);
    if (status != MFA_OK)
        mfa_config_clear(out);
    return status;
}
