/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_config.h"

#include <string.h>

#include "mfa_config_check.h"
#include "mfa_config_endpoint.h"
#include "mfa_config_limit.h"
#include "mfa_yaml.h"

/* Codes shorter than this need a warning: NIST SP 800-63B-4, 3.1.3. */
#define CODE_LENGTH_ADVISED 6

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

/* The i-th endpoint that has a URL, fallbacks included. */
static const struct mfa_endpoint *endpoint_at(const struct mfa_config *config, size_t i)
{
    const struct mfa_endpoint *const chains[] = {&config->single, &config->challenge, &config->verify};

    for (size_t chain = 0; chain < sizeof chains / sizeof chains[0]; chain++)
        for (const struct mfa_endpoint *at = chains[chain]; at != NULL; at = at->fallback)
            if (at->url != NULL && i-- == 0)
                return at;
    return NULL;
}

static bool is_named_before(const struct mfa_config *config, size_t i)
{
    for (size_t before = 0; before < i; before++)
        if (strcmp(endpoint_at(config, before)->origin.host, endpoint_at(config, i)->origin.host) == 0)
            return true;
    return false;
}

const char *mfa_config_host(const struct mfa_config *config, size_t i)
{
    const struct mfa_endpoint *endpoint = NULL;

    for (size_t at = 0; (endpoint = endpoint_at(config, at)) != NULL; at++)
        if (!is_named_before(config, at) && i-- == 0)
            return endpoint->origin.host;
    return NULL;
}

void mfa_config_clear(struct mfa_config *config)
{
    mfa_messages_clear(&config->messages);
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
        {"sms",
         {"endpoints", "codeLength", "codeTtlSeconds", "acceptPreviousCodes", "sendLimits", "messages",
          "webOtpDomain"}},
        {"sms.sendLimits", {"minIntervalSeconds", "perUserPerHour", "perDestinationPerDay", "perDay"}},
        {"sms.endpoints", {"single", "challenge", "verify", "preset", "parameters"}},
        {"sessions", {"ttlSeconds", "maxPending", "maxPendingPerUser"}},
        {"attempts", {"perSession", "maxConsecutive", "perAccountWindowSeconds", "backoff"}},
        {"attempts.backoff", {"freeFailures", "baseSeconds", "maxSeconds"}},
        {"stepUp", {"required"}},
        {"recovery", {"mode"}},
        {"gateway", {"maxInFlight", "maxPerHost"}},
    };
    static const char *const root_keys[] = {"mode",     "sms",     "sessions",         "attempts", "stepUp",
                                            "recovery", "gateway", "presetsDirectory", NULL};

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

static void read_policy(struct mfa_policy *policy, const struct mfa_yaml *yaml)
{
    const struct mfa_yaml_node *root = mfa_yaml_root(yaml);
    const struct mfa_yaml_node *code_ttl = mfa_yaml_find(root, "sms.codeTtlSeconds");
    const struct mfa_yaml_node *code_length = mfa_yaml_find(root, "sms.codeLength");
    const size_t errors_before = mfa_yaml_error_count(yaml);

    for (size_t i = 0; i < mfa_policy_limit_count; i++)
        mfa_limit_read(mfa_yaml_find_key(root, mfa_policy_limits[i].key), &mfa_policy_limits[i], policy);
    if (code_length != NULL && policy->code_length < CODE_LENGTH_ADVISED)
        mfa_yaml_warning(code_length, "is below 6, the least that NIST SP 800-63B-4, 3.1.3 allows");
    if (policy->code_ttl_s <= policy->session_ttl_s || mfa_yaml_error_count(yaml) > errors_before)
        return;
    if (code_ttl != NULL)
        mfa_yaml_error(code_ttl, "must not be above sessions.ttlSeconds: a code ends with its session");
    policy->code_ttl_s = policy->session_ttl_s;
}

/* --- Endpoints ------------------------------------------------------------------------------------------------- */

static enum mfa_status read_endpoints(struct mfa_config *config, const struct mfa_yaml *yaml)
{
    const struct mfa_yaml_node *directory = mfa_yaml_find(mfa_yaml_root(yaml), "presetsDirectory");
    const char *own_presets = directory != NULL ? mfa_yaml_string(directory) : NULL;
    struct mfa_presets presets = {.directory = own_presets != NULL ? own_presets : MFA_PRESETS_DIR};
    const struct {
        const char *name;
        struct mfa_endpoint *endpoint;
        enum mfa_mode needed_by;
    } endpoints[] = {
        {"single", &config->single, MFA_MODE_SINGLE},
        {"challenge", &config->challenge, MFA_MODE_CHALLENGE_VERIFY},
        {"verify", &config->verify, MFA_MODE_CHALLENGE_VERIFY},
    };
    enum mfa_status status = MFA_OK;

    for (size_t i = 0; i < sizeof endpoints / sizeof endpoints[0] && status == MFA_OK; i++) {
        const struct mfa_endpoint_place place = {
            .yaml = yaml,
            .name = endpoints[i].name,
            .needed_by = config->mode == endpoints[i].needed_by ? mfa_mode_name(config->mode) : NULL,
            .presets = &presets,
        };

        status = mfa_config_read_endpoint(endpoints[i].endpoint, &place);
    }
    mfa_presets_clear(&presets);
    return status;
}

static bool chain_uses_nonce(const struct mfa_endpoint *endpoint)
{
    for (; endpoint != NULL; endpoint = endpoint->fallback)
        if (mfa_endpoint_uses_anywhere(endpoint, MFA_VARIABLE_NONCE))
            return true;
    return false;
}

/* --- The whole ------------------------------------------------------------------------------------------------- */

/* A plugin without MFA has no threads, and routes that anybody may use. */
static void check_takes_place(const struct mfa_config *config, const struct mfa_config *in_use,
                              const struct mfa_yaml *yaml)
{
    if (in_use != NULL && (in_use->mode == MFA_MODE_DISABLED) != (config->mode == MFA_MODE_DISABLED))
        mfa_yaml_error_at(yaml, "mode",
                          "cannot change from \"%s\" to \"%s\" without a restart; put it back, or restart",
                          mfa_mode_name(in_use->mode), mfa_mode_name(config->mode));
}

static enum mfa_status read_section(struct mfa_config *config, const struct mfa_yaml *yaml,
                                    const struct mfa_config *in_use)
{
    const struct mfa_yaml_node *root = mfa_yaml_root(yaml);
    enum mfa_status status;

    if (root != NULL)
        check_keys(root);
    read_mode(config, root);
    read_recovery_mode(config, root);
    read_step_up(config, root);
    read_policy(&config->policy, yaml);
    status = mfa_messages_read(&config->messages, mfa_yaml_find(root, "sms.messages"),
                               mfa_yaml_find(root, "sms.webOtpDomain"));
    if (status == MFA_OK)
        status = read_endpoints(config, yaml);
    if (status != MFA_OK)
        return status;
    config->uses_nonce =
        chain_uses_nonce(&config->single) || chain_uses_nonce(&config->challenge) || chain_uses_nonce(&config->verify);
    if (mfa_yaml_error_count(yaml) == 0)
        mfa_config_check_together(config, yaml);
    if (mfa_yaml_error_count(yaml) == 0)
        check_takes_place(config, in_use, yaml);
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
        status = mfa_yaml_expand(mfa_yaml_root(yaml), NULL);
    if (status == MFA_OK)
        status = read_section(out, yaml, source->in_use);
    mfa_yaml_free(yaml);
    if (status != MFA_OK)
        mfa_config_clear(out);
    return status;
}
