/* SPDX-License-Identifier: Apache-2.0
 *
 * core_plugin.h: the contract between a core (the host) and its plugins, version 1.1.
 *
 * This file is all that either side needs. A plugin is one shared object that exports one constant object,
 * `core_plugin_descriptor`. The host reads it before it runs any code of the plugin, decides whether the two fit,
 * calls `create`, and from then on calls the plugin's hooks. Everything the plugin may ask of the host is in the
 * table `struct core_host` that `create` receives.
 *
 * Conventions that hold everywhere below
 *
 *   Text         UTF-8, in spans (pointer and length). No NUL follows a span unless the member says so. A span with a
 *                NULL pointer is *absent*; one with a pointer and length 0 is *present and empty*.
 *   Sizes        Every struct that crosses the boundary starts with `struct_size`, filled in by the side that made it
 *                with sizeof of its own definition. A reader looks at a member only if it lies inside that size
 *                (CORE_HAS). Unknown members behind are ignored. Only core_span and core_header have no size: they never
 *                change.
 *   Growth       A minor version only appends members, constants and functions. Nothing is removed, reordered,
 *                renumbered or given another argument list. A new meaning for an old name is a new major.
 *   Constants    Readers must expect values they do not know. What they do then is written with each set; wherever
 *                a login could be released, the unknown value denies.
 *   Ownership    *borrowed until return*: the callee must not keep the pointer. *borrowed until complete*: valid until
 *                the plugin completes that call, however late. *copied*: the callee keeps no pointer of yours.
 *                *static*: valid from create until destroy has returned. Nothing is ever allocated on one side and
 *                freed on the other.
 *   Threads      Each function carries one tag:
 *                [create]      on the thread that called `create`, before it returns
 *                [any thread]  any thread, at any time between `create` being entered and `stop` having returned
 *                [host thread] called by the host, on a thread of its own that may wait for storage, concurrently
 *                              with every other hook and with itself
 *                [main thread] called by the host, never concurrently with another hook of the same instance
 *                [main thread, running] called by the host on that same thread, so never concurrently with itself or with
 *                              a hook tagged [main thread], but concurrently with those tagged [host thread]
 *   Waiting      Of the host's functions only `profile_load`, `profile_store` and `password_check` may wait, and only for
 *                the host's own storage or processor. A hook must not wait for anything else: it starts the work,
 *                returns, and completes the call later from a thread of its own.
 *   Process      A plugin shares its process with others. It must not touch signal handlers, the locale, the umask,
 *                the working directory, the environment or atexit, and must never end the process. Threads of its own
 *                block all signals.
 */
#ifndef CORE_PLUGIN_H
#define CORE_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- 1. Versions ---------------------------------------------------------------------------------------------- */

/* The version this header describes. A host accepts a plugin when the majors are equal and the plugin's
 * `requires_minor` is not above the host's minor. */
#define CORE_API_MAJOR 1
#define CORE_API_MINOR 1

/* First member of every descriptor: "CORE" in ASCII, most significant byte first. */
#define CORE_PLUGIN_MAGIC UINT32_C(0x434f5245)

/* The one symbol a plugin exports, for dlsym. */
#define CORE_PLUGIN_SYMBOL "core_plugin_descriptor"

/* Marks the exported object; build everything else with -fvisibility=hidden. */
#define CORE_PLUGIN_EXPORT __attribute__((visibility("default")))

/* True when `member` lies inside what the maker of `*object` knew. For function members test the pointer too. */
#define CORE_HAS(object, member)                                                                                       \
    ((object)->struct_size >= (uint64_t)((const char *)(&(object)->member + 1) - (const char *)(object)))

/* --- 2. Values ------------------------------------------------------------------------------------------------- */

/* Bytes that belong to somebody else; see "Text" and "Ownership" above. */
struct core_span {
    const void *data;
    uint64_t len; /* bytes */
};

/* Status of a function: 0 is success, everything else a failure. A reader treats an unknown negative value, or any
 * positive one, as CORE_ERR_INTERNAL. Values are never renumbered. */
typedef int32_t core_status;
#define CORE_OK INT32_C(0)
#define CORE_ERR_INTERNAL INT32_C(-1)  /* anything that has no name of its own: a disk, a bug, a clock that failed */
#define CORE_ERR_MEMORY INT32_C(-2)    /* an allocation failed */
#define CORE_ERR_ARGUMENT INT32_C(-3)  /* the caller broke this contract; nothing was done */
#define CORE_ERR_CONFIG INT32_C(-4)    /* create: the configuration was refused; the reasons have been logged */
#define CORE_ERR_VERSION INT32_C(-5)   /* create: the host's table lacks something the plugin needs */
#define CORE_ERR_NOT_FOUND INT32_C(-6) /* there is no such user or field */
#define CORE_ERR_CONFLICT INT32_C(-7)  /* the field is not at the expected version; nothing was written */
#define CORE_ERR_TOO_SMALL INT32_C(-8) /* the caller's buffer is too small; the needed size was returned */
#define CORE_ERR_DENIED INT32_C(-9)    /* the password is wrong */
#define CORE_ERR_CLOSED INT32_C(-10)   /* this plugin has no such open call: completed before, or never made */
#define CORE_ERR_BUSY INT32_C(-11)     /* the host cannot take more of this work now */

/* Longest user id, request id and grant that cross this boundary, in bytes. */
#define CORE_USER_ID_MAX 128
#define CORE_REQUEST_ID_MAX 63
#define CORE_GRANT_MAX 1024

/* One HTTP header. Names compare without regard to case. */
struct core_header {
    struct core_span name;
    struct core_span value;
};

/* --- 3. Calls -------------------------------------------------------------------------------------------------- */

/* The token of one call of a hook. It is a number that the host never uses twice, not a pointer, so that a token can be
 * kept too long without harm: completing it again is CORE_ERR_CLOSED, never undefined. 0 is never a call.
 * A call is that plugin's for whose hook it was opened; to any other its token is one that was never made.
 *
 * The plugin ends every call with `core_host.complete`, exactly once, from any thread; also before the hook returns.
 * It does so even when the call was cancelled or its deadline has passed: until then the host keeps the inputs alive.
 *
 * Rationale: a hook that returned its result would tie a thread of the host to the slowest service behind it. */
typedef uint64_t core_call;

/* What the host says about an open call. */
struct core_call_info {
    uint32_t struct_size;
    uint32_t cancelled;                       /* not 0: nobody waits any more (client gone, deadline, stopping) */
    uint64_t deadline_ms;                     /* on the host's monotonic clock; after it the host itself denies */
    char request_id[CORE_REQUEST_ID_MAX + 1]; /* NUL-terminated, printable ASCII; put it into log lines */
};

/* How a call ends. A host treats a value it does not know, and one that is not permitted for this kind of call, as
 * CORE_DENY with status 500. 0 denies, so that a result nobody filled in releases nothing. */
#define CORE_DENY UINT32_C(0)  /* login, routes: answer `http_status` and `body`, an error; release nothing */
#define CORE_ALLOW UINT32_C(1) /* login only: this plugin has no objection; the host asks the next plugin or logs in */
#define CORE_CHALLENGE                                                                                                 \
    UINT32_C(2)                  /* login only: answer `http_status` and `body`; the login is withheld, no token made */
#define CORE_ANSWER UINT32_C(3)  /* routes only: answer `http_status` and `body` */
#define CORE_RELEASE UINT32_C(4) /* routes only: release the login of `grant` and answer as that login would have */

/* The result of a call, all of it *copied* by `complete`.
 *
 *   outcome          http_status   body          headers    grant
 *   CORE_DENY        400 to 599    error object  optional   -
 *   CORE_ALLOW       -             -             -          -
 *   CORE_CHALLENGE   200 to 299    object        optional   -
 *   CORE_ANSWER      200 to 399    object        optional   -
 *   CORE_RELEASE     -             -             optional   the bytes of a login hook's input
 *
 * `body` is the text of one JSON object; the host adds what it puts into every answer (`meta`, CORS headers). An error
 * object is {"error": {"id", "message", "data"?}}. With status 204 the body is absent. CORE_DENY without a body makes
 * the host answer its own 500.
 *
 * Refused, CORE_ERR_ARGUMENT, are a body above 1 MiB; a grant above CORE_GRANT_MAX; more than 64 headers; a header whose name
 * or value is empty or above 8192 bytes, whose name is not a token (RFC 9110), or whose value has a control character other
 * than tab; and the headers that are the host's: Content-Length, Transfer-Encoding, Connection, Upgrade, Content-Type, and
 * all of Access-Control-. */
struct core_result {
    uint32_t struct_size;
    uint32_t outcome;      /* CORE_DENY ... */
    uint32_t http_status;  /* RFC 9110 */
    uint32_t header_count; /* of `headers` */
    struct core_span body;
    const struct core_header *headers;
    struct core_span grant;
};

/* --- 4. Hooks -------------------------------------------------------------------------------------------------- */

/* Input of the login hook: a user whose password has just been found right. */
struct core_login {
    uint32_t struct_size;
    uint32_t reserved;
    struct core_span user_id;        /* identifies the user for ever; 1 to CORE_USER_ID_MAX bytes */
    struct core_span username;       /* as in the path; may change owner over the years, so do not key data by it */
    struct core_span client_address; /* text of the peer's IP address as the host believes it; for logs and limits */
    struct core_span app_id;         /* what the client called itself */
    struct core_span grant;          /* 1 to CORE_GRANT_MAX opaque bytes: later proof that this login passed this far;
                                        good once, for a day at least */
};

/* Asks whether this login may go on.
 * Returns    nothing; the call ends with CORE_ALLOW, CORE_CHALLENGE or CORE_DENY. No completion by the deadline is DENY.
 *            A plugin that challenges keeps the grant, secret, and hands it back with CORE_RELEASE from a route when
 *            its condition is met. The host then asks the plugins behind it in the chain and finishes the login. The
 *            access token of the login does not exist before that, and the plugin never sees it.
 * Ownership  `instance` is what create returned; `login` and all it points to are borrowed until complete.
 * Threads    [host thread]
 * Since      1.0 */
typedef void core_login_fn(void *instance, core_call call, const struct core_login *login);

/* Input of a route's hook: a request that has passed the route's authentication. */
struct core_request {
    uint32_t struct_size;
    uint32_t header_count;           /* of `headers` */
    struct core_span user_id;        /* of the {username} in the path, who exists */
    struct core_span username;       /* as in the path */
    struct core_span client_address; /* as in core_login */
    struct core_span credential; /* the token presented (`Authorization: T`, `Authorization: Bearer T` or `?auth=T`),
                                         stripped to T; absent when there is none. Not checked with CORE_AUTH_NONE */
    struct core_span body;       /* the raw request body, at most the route's `max_body_len`; absent when empty */
    const struct core_header *headers; /* every request header; a name that occurs twice is there twice */
};

/* Answers one request on a registered route.
 * Returns    nothing; the call ends with CORE_ANSWER, CORE_RELEASE or CORE_DENY. No completion by the deadline is a 500.
 * Ownership  `context` is the route's; `request` and all it points to are borrowed until complete.
 * Threads    [host thread]
 * Since      1.0 */
typedef void core_route_fn(void *context, core_call call, const struct core_request *request);

/* What the host must have checked before it calls a route's hook. A host that does not know the value refuses the
 * registration. Failing requests are answered by the host and never reach the plugin. */
#define CORE_AUTH_PERSONAL UINT32_C(1) /* a personal token of the user in the path: of a login, not of an app */
#define CORE_AUTH_NONE UINT32_C(2)     /* nothing; `credential` is passed through for the plugin to judge */
#define CORE_AUTH_ADMIN UINT32_C(3)    /* the administrator's key */

/* One route. `path` is literal segments and exactly one segment "{username}", which matches an existing user:
 * "/{username}/mfa/verify". The host answers 404 for an unknown user. A route for GET may be asked for HEAD as well, when there
 * is none of its own: the host leaves the body out. */
struct core_route {
    uint32_t struct_size;
    uint32_t auth;         /* CORE_AUTH_... */
    const char *method;    /* NUL-terminated, upper case; static */
    const char *path;      /* NUL-terminated; static */
    uint64_t max_body_len; /* bytes; a longer body is refused by the host with 400 invalid-request-structure */
    core_route_fn *hook;
    void *context; /* handed to the hook as it is; static */
};

/* --- 5. What the host offers ------------------------------------------------------------------------------------- */

/* Severity of a log line; a host treats a value it does not know as CORE_LOG_ERROR. */
#define CORE_LOG_ERROR UINT32_C(1) /* somebody must act */
#define CORE_LOG_WARN UINT32_C(2)  /* somebody should know */
#define CORE_LOG_INFO UINT32_C(3)  /* the normal course: audit lines, start, stop */
#define CORE_LOG_DEBUG UINT32_C(4)

struct core_host;

/* Writes one line to the host's log, which adds time, severity and the plugin's name, and escapes control characters.
 * Returns    nothing; a line that cannot be written is lost.
 * Ownership  `line`, without newline, is copied. It must hold no secret.
 * Threads    [any thread]
 * Since      1.0 */
typedef void core_log_fn(const struct core_host *host, uint32_t level, struct core_span line);

/* Tells the wall-clock time: milliseconds since 1970-01-01T00:00:00Z. It can jump either way.
 * Returns    CORE_OK; CORE_ERR_INTERNAL when there is no time to be had, `*unix_ms` is then 0.
 * Ownership  `unix_ms` is borrowed until return.
 * Threads    [any thread]
 * Since      1.0 */
typedef core_status core_wall_clock_fn(const struct core_host *host, int64_t *unix_ms);

/* Tells the monotonic time: milliseconds since an arbitrary point, never going back within the process. Deadlines are
 * on this clock.
 * Returns    CORE_OK; CORE_ERR_INTERNAL when there is no time to be had, `*ms` is then 0.
 * Ownership  `ms` is borrowed until return.
 * Threads    [any thread]
 * Since      1.0 */
typedef core_status core_monotonic_clock_fn(const struct core_host *host, uint64_t *ms);

/* Ends a call. It does not wait, and it never calls a hook of any plugin: what follows happens on a thread of the host.
 * Returns    CORE_OK: this completion counted, even if the host had already answered because the deadline had passed;
 *            CORE_ERR_CLOSED: this plugin has no such open call, nothing happened;
 *            CORE_ERR_MEMORY, CORE_ERR_ARGUMENT (no result, a struct_size below version 1.0's, or what core_result says is
 *            refused): the call has ended all the same, and the host answers 500.
 * Ownership  `result` and all it points to are copied. Inputs borrowed until complete end here.
 * Threads    [any thread]
 * Since      1.0 */
typedef core_status core_complete_fn(const struct core_host *host, core_call call, const struct core_result *result);

/* Tells what the host knows of an open call.
 * Returns    CORE_OK; CORE_ERR_CLOSED: this plugin has no such open call; CORE_ERR_ARGUMENT. `*info` is untouched on failure.
 * Ownership  `info`, whose struct_size the caller has filled in, is borrowed until return; the host writes no further
 *            than that size.
 * Threads    [any thread]
 * Since      1.0 */
typedef core_status core_call_info_fn(const struct core_host *host, core_call call, struct core_call_info *info);

/* Reads one field of a user's private profile, one of those the descriptor claims (`profile_fields`). The host does not
 * interpret the bytes. It lets nobody else write a claimed field, and shows others at most that it is there.
 * Returns    CORE_OK: `*len` bytes are in `buffer` and `*version` identifies them;
 *            CORE_ERR_NOT_FOUND: the field does not exist, `*len` is 0 and `*version` is 0;
 *            CORE_ERR_TOO_SMALL: nothing was copied, `*len` is the size needed;
 *            CORE_ERR_INTERNAL, CORE_ERR_MEMORY, CORE_ERR_ARGUMENT (a field that was not claimed): nothing is known, `*len` and
 *            `*version` are 0. A caller must not take this for "the field does not exist".
 * Ownership  `user_id` and `field` are borrowed until return; so are the out parameters.
 * Threads    [any thread]; may wait for storage
 * Since      1.0 */
typedef core_status core_profile_load_fn(const struct core_host *host, struct core_span user_id, const char *field,
                                         void *buffer, uint64_t buffer_size, uint64_t *len, uint64_t *version);

/* Replaces, creates or removes one field of a user's private profile, if it is still at the expected version. The write
 * is whole or not at all, and on disk when this returns.
 * `expected`  the version read before; 0: the field must not exist.
 * `value`     the new bytes, at least one; absent: remove the field.
 * Returns    CORE_OK: written, and the next load gives a version that this field of this user never had before;
 *            CORE_ERR_CONFLICT: the field is at another version, which a load shows by now, so that a caller may try again
 *            at once; CORE_ERR_NOT_FOUND: there is no such user;
 *            CORE_ERR_INTERNAL, CORE_ERR_MEMORY, CORE_ERR_ARGUMENT: not written.
 * Ownership  `user_id`, `field` and `value` are borrowed until return.
 * Threads    [any thread]; may wait for storage
 * Since      1.0 */
typedef core_status core_profile_store_fn(const struct core_host *host, struct core_span user_id, const char *field,
                                          uint64_t expected, struct core_span value);

/* Checks a user's password, at the full cost of the host's password hash.
 * Returns    CORE_OK: right; CORE_ERR_DENIED: wrong; CORE_ERR_BUSY: too many checks at once, nothing was checked;
 *            CORE_ERR_NOT_FOUND, CORE_ERR_INTERNAL, CORE_ERR_MEMORY, CORE_ERR_ARGUMENT: nothing is known.
 * Ownership  `user_id` and `password` are borrowed until return; the host keeps no copy of the password.
 * Threads    [any thread]; waits up to seconds
 * Since      1.0 */
typedef core_status core_password_check_fn(const struct core_host *host, struct core_span user_id,
                                           struct core_span password);

/* Registers a route.
 * Returns    CORE_OK; CORE_ERR_ARGUMENT: the route is malformed, taken, its auth unknown, or create has returned;
 *            CORE_ERR_MEMORY.
 * Ownership  `route` is copied; what its members point to is static.
 * Threads    [create]
 * Since      1.0 */
typedef core_status core_register_route_fn(const struct core_host *host, const struct core_route *route);

/* Looks up something a host may or may not offer, by an id that never changes, such as "core.metrics/1". Each id has a
 * header core_cap_*.h with the struct it stands for and a typed getter; use the getter, once, in create.
 * Returns    the capability, or NULL: this host does not offer it.
 * Ownership  `id` is borrowed until return; the result is static.
 * Threads    [create]
 * Since      1.0 */
typedef const void *core_capability_fn(const struct core_host *host, const char *id);

/* The host as one plugin instance sees it; *static*. Every function takes this very pointer as its first argument. A
 * plugin checks in create that all it needs is there (CORE_HAS, not NULL) and fails with CORE_ERR_VERSION if not; a
 * 1.0 host fills in every member below. */
struct core_host {
    uint32_t struct_size;
    uint16_t api_major; /* of the host's header */
    uint16_t api_minor;
    void *host_data; /* the host's own; a plugin does not look at it */
    core_log_fn *log;
    core_wall_clock_fn *wall_clock;
    core_monotonic_clock_fn *monotonic_clock;
    core_complete_fn *complete;
    core_call_info_fn *call_info;
    core_profile_load_fn *profile_load;
    core_profile_store_fn *profile_store;
    core_password_check_fn *password_check;
    core_register_route_fn *register_route;
    core_capability_fn *capability;
};

/* --- 6. What the plugin offers ----------------------------------------------------------------------------------- */

/* How to read `core_config.text`. A plugin that does not know the value fails create with CORE_ERR_CONFIG. */
#define CORE_CONFIG_YAML UINT32_C(1)
#define CORE_CONFIG_JSON UINT32_C(2)

/* The plugin's section of the operator's configuration, as text, so that the plugin's messages can name the line.
 * The text is whole lines of the file, still indented, or one flow collection; it is complete in itself (an alias to
 * an anchor outside the section does not resolve). Absent when the file has no such section. */
struct core_config {
    uint32_t struct_size;
    uint32_t format; /* CORE_CONFIG_... */
    struct core_span text;
    struct core_span origin; /* name of the file as the operator knows it, for messages */
    uint32_t origin_line;    /* line of that file on which `text` starts, from 1; 0: not known */
    uint32_t reserved;
};

/* Makes an instance: reads the configuration, registers routes, starts threads. Several instances may live at once, and
 * create after destroy works.
 * Returns    CORE_OK: `*instance` is ready, and not NULL; the host calls no hook before it has seen this;
 *            anything else: `*instance` is NULL, nothing is left running or allocated, and the reason has been logged at
 *            CORE_LOG_ERROR in words for an operator. The host then refuses to start.
 * Ownership  `host` is static; `config` and all it points to are borrowed until return; `*instance` is owned by the
 *            plugin, released with destroy.
 * Threads    [main thread]
 * Since      1.0 */
typedef core_status core_create_fn(const struct core_host *host, const struct core_config *config, void **instance);

/* Winds an instance down. The host has entered its last hook before it calls this, and waits for it. The plugin
 * completes every open call (what was under way is denied), ends its threads, and then returns, within about five seconds.
 * Afterwards it calls no host function.
 * Returns    nothing.
 * Ownership  `instance` stays the plugin's.
 * Threads    [main thread], once, before destroy
 * Since      1.0 */
typedef void core_stop_fn(void *instance);

/* Frees an instance that was created and stopped.
 * Returns    nothing.
 * Ownership  `instance` is gone afterwards. NULL is accepted.
 * Threads    [main thread]
 * Since      1.0 */
typedef void core_destroy_fn(void *instance);

/* Takes another configuration over while the instance runs: the operator has changed the section, or what it refers to, such
 * as a file with a secret, and has asked the host to read it again. The host calls it between create and stop, as often as it
 * is asked to, also with a text that has not changed, or with the one before when another plugin refuses what it was given.
 *
 * On success every hook that the host enters after this has returned goes by the new configuration. Calls that are open are
 * not cancelled, and what the plugin remembers of earlier ones, such as logins that wait for their condition, stays; by
 * which configuration a call that is open is ended is the plugin's to say. Routes and metrics stay as create made them: the
 * host refuses new ones.
 * Returns    CORE_OK: taken over;
 *            CORE_ERR_CONFIG: refused, and the reasons have been logged at CORE_LOG_ERROR as create does; so is what this
 *            instance cannot change while it runs, with the remedy "restart";
 *            anything else: a fault, which has been logged.
 *            Unless CORE_OK, nothing has changed, and the instance runs on by the configuration it had.
 * Ownership  `instance` is what create returned; `config`, as for create, and all it points to are borrowed until return.
 * Threads    [main thread, running]; may wait for storage
 * Since      1.1 */
typedef core_status core_reconfigure_fn(void *instance, const struct core_config *config);

/* The plugin's hooks; *static*. A NULL hook means the plugin takes no part in that. */
struct core_plugin_hooks {
    uint32_t struct_size;
    uint32_t reserved;
    core_stop_fn *stop; /* never NULL */
    core_login_fn *login;
    core_reconfigure_fn *reconfigure; /* since 1.1; absent or NULL: another configuration takes a restart */
};

/* The one exported object; constant and *static*, so that a host can judge it without running the plugin's code.
 *
 * A host refuses, by file name and reason, and does not start, when
 *   - the file is not a regular file, is not owned by root or by the host's own user, or it or its directory can be
 *     written by others;
 *   - it cannot be loaded by its absolute path with RTLD_NOW | RTLD_LOCAL, or does not export CORE_PLUGIN_SYMBOL;
 *   - `magic` differs, `struct_size` is below version 1.0's, or `api_major` differs from the host's;
 *   - `requires_minor` is above the host's minor;
 *   - `name`, `version`, `config_section`, `create`, `destroy`, `hooks` or `hooks->stop` is NULL, or `hooks->struct_size`
 *     is below version 1.0's;
 *   - another plugin has the same name, or claims one of the same `profile_fields`;
 *   - `create` fails, or succeeds and gives no instance.
 *
 * `requires_minor` is written as a literal: the lowest minor the plugin can live with, which is not the one it happened
 * to be compiled with. Rationale: a plugin that filled in CORE_API_MINOR would, rebuilt against a newer header, refuse
 * hosts that it still works with. */
struct core_plugin_descriptor {
    uint32_t magic; /* CORE_PLUGIN_MAGIC */
    uint32_t struct_size;
    uint16_t api_major; /* CORE_API_MAJOR: what it was compiled with */
    uint16_t api_minor; /* CORE_API_MINOR: what it was compiled with */
    uint16_t requires_minor;
    uint16_t reserved;
    const char *name;           /* NUL-terminated, [a-z0-9-]{1,32} */
    const char *version;        /* NUL-terminated, of the plugin itself */
    const char *config_section; /* NUL-terminated path of its configuration: "services.mfa" */
    core_create_fn *create;
    core_destroy_fn *destroy;
    const struct core_plugin_hooks *hooks;
    const char *const
        *profile_fields; /* NULL-terminated list of [A-Za-z0-9_-]{1,32}: fields of the private profile that
                                          only this plugin reads and writes; NULL: none */
};

/* The declaration a plugin defines:
 *     CORE_PLUGIN_EXPORT const struct core_plugin_descriptor core_plugin_descriptor = { ... };
 * In C++ the CORE_PLUGIN_EXPORT of the definition may be left out: g++ goes by the one here, and warns of the other. */
extern CORE_PLUGIN_EXPORT const struct core_plugin_descriptor core_plugin_descriptor;

#ifdef __cplusplus
}
#endif

#endif
