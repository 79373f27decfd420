/* SPDX-License-Identifier: Apache-2.0
 *
 * Freezes the constants of version 1.0, and its layout as it is on machines with 64-bit pointers. A failing assertion means
 * that a change broke every plugin and every host already built; mend the header, never this file. What a later minor
 * appends gets a file of its own, and only structs with `struct_size` may grow.
 */
#include "core_cap_kv.h"
#include "core_cap_metrics.h"
#include "core_plugin.h"

#define IS(constant, value) _Static_assert((constant) == (value), #constant " was renumbered")

IS(CORE_API_MAJOR, 1);
IS(CORE_PLUGIN_MAGIC, 0x434f5245);

IS(CORE_OK, 0);
IS(CORE_ERR_INTERNAL, -1);
IS(CORE_ERR_MEMORY, -2);
IS(CORE_ERR_ARGUMENT, -3);
IS(CORE_ERR_CONFIG, -4);
IS(CORE_ERR_VERSION, -5);
IS(CORE_ERR_NOT_FOUND, -6);
IS(CORE_ERR_CONFLICT, -7);
IS(CORE_ERR_TOO_SMALL, -8);
IS(CORE_ERR_DENIED, -9);
IS(CORE_ERR_CLOSED, -10);
IS(CORE_ERR_BUSY, -11);

IS(CORE_USER_ID_MAX, 128);
IS(CORE_REQUEST_ID_MAX, 63);
IS(CORE_GRANT_MAX, 1024);
IS(CORE_KV_KEY_MAX, 64);
IS(CORE_KV_VALUE_MAX, 65536);

IS(CORE_METRIC_MAX_LABELS, 4);
IS(CORE_METRIC_MAX_BUCKETS, 32);
IS(CORE_METRIC_MAX_SERIES, 4096);
IS(CORE_METRIC_COUNTER, 1);
IS(CORE_METRIC_GAUGE, 2);
IS(CORE_METRIC_HISTOGRAM, 3);

IS(CORE_DENY, 0);
IS(CORE_ALLOW, 1);
IS(CORE_CHALLENGE, 2);
IS(CORE_ANSWER, 3);
IS(CORE_RELEASE, 4);

IS(CORE_AUTH_PERSONAL, 1);
IS(CORE_AUTH_NONE, 2);
IS(CORE_AUTH_ADMIN, 3);

IS(CORE_LOG_ERROR, 1);
IS(CORE_LOG_WARN, 2);
IS(CORE_LOG_INFO, 3);
IS(CORE_LOG_DEBUG, 4);

IS(CORE_CONFIG_YAML, 1);
IS(CORE_CONFIG_JSON, 2);

#if UINTPTR_MAX == UINT64_MAX

#define AT(type, member, offset) _Static_assert(offsetof(struct type, member) == (offset), #type "." #member " moved")
#define SIZE(type, size) _Static_assert(sizeof(struct type) == (size), #type " changed size")
#define SIZE_AT_LEAST(type, size) _Static_assert(sizeof(struct type) >= (size), #type " shrank")

AT(core_span, data, 0);
AT(core_span, len, 8);
SIZE(core_span, 16);

AT(core_header, name, 0);
AT(core_header, value, 16);
SIZE(core_header, 32);

AT(core_call_info, struct_size, 0);
AT(core_call_info, cancelled, 4);
AT(core_call_info, deadline_ms, 8);
AT(core_call_info, request_id, 16);
SIZE_AT_LEAST(core_call_info, 80);

AT(core_result, struct_size, 0);
AT(core_result, outcome, 4);
AT(core_result, http_status, 8);
AT(core_result, header_count, 12);
AT(core_result, body, 16);
AT(core_result, headers, 32);
AT(core_result, grant, 40);
SIZE_AT_LEAST(core_result, 56);

AT(core_login, struct_size, 0);
AT(core_login, reserved, 4);
AT(core_login, user_id, 8);
AT(core_login, username, 24);
AT(core_login, client_address, 40);
AT(core_login, app_id, 56);
AT(core_login, grant, 72);
SIZE_AT_LEAST(core_login, 88);

AT(core_request, struct_size, 0);
AT(core_request, header_count, 4);
AT(core_request, user_id, 8);
AT(core_request, username, 24);
AT(core_request, client_address, 40);
AT(core_request, credential, 56);
AT(core_request, body, 72);
AT(core_request, headers, 88);
SIZE_AT_LEAST(core_request, 96);

AT(core_route, struct_size, 0);
AT(core_route, auth, 4);
AT(core_route, method, 8);
AT(core_route, path, 16);
AT(core_route, max_body_len, 24);
AT(core_route, hook, 32);
AT(core_route, context, 40);
SIZE_AT_LEAST(core_route, 48);

AT(core_host, struct_size, 0);
AT(core_host, api_major, 4);
AT(core_host, api_minor, 6);
AT(core_host, host_data, 8);
AT(core_host, log, 16);
AT(core_host, wall_clock, 24);
AT(core_host, monotonic_clock, 32);
AT(core_host, complete, 40);
AT(core_host, call_info, 48);
AT(core_host, profile_load, 56);
AT(core_host, profile_store, 64);
AT(core_host, password_check, 72);
AT(core_host, register_route, 80);
AT(core_host, capability, 88);
SIZE_AT_LEAST(core_host, 96);

AT(core_config, struct_size, 0);
AT(core_config, format, 4);
AT(core_config, text, 8);
AT(core_config, origin, 24);
AT(core_config, origin_line, 40);
AT(core_config, reserved, 44);
SIZE_AT_LEAST(core_config, 48);

AT(core_plugin_hooks, struct_size, 0);
AT(core_plugin_hooks, reserved, 4);
AT(core_plugin_hooks, stop, 8);
AT(core_plugin_hooks, login, 16);
SIZE_AT_LEAST(core_plugin_hooks, 24);

AT(core_plugin_descriptor, magic, 0);
AT(core_plugin_descriptor, struct_size, 4);
AT(core_plugin_descriptor, api_major, 8);
AT(core_plugin_descriptor, api_minor, 10);
AT(core_plugin_descriptor, requires_minor, 12);
AT(core_plugin_descriptor, reserved, 14);
AT(core_plugin_descriptor, name, 16);
AT(core_plugin_descriptor, version, 24);
AT(core_plugin_descriptor, config_section, 32);
AT(core_plugin_descriptor, create, 40);
AT(core_plugin_descriptor, destroy, 48);
AT(core_plugin_descriptor, hooks, 56);
AT(core_plugin_descriptor, profile_fields, 64);
SIZE_AT_LEAST(core_plugin_descriptor, 72);

AT(core_cap_kv, struct_size, 0);
AT(core_cap_kv, reserved, 4);
AT(core_cap_kv, get, 8);
AT(core_cap_kv, put, 16);
SIZE_AT_LEAST(core_cap_kv, 24);

AT(core_metric_label, name, 0);
AT(core_metric_label, values, 8);

AT(core_metric, struct_size, 0);
AT(core_metric, kind, 4);
AT(core_metric, name, 8);
AT(core_metric, help, 16);
AT(core_metric, labels, 24);
AT(core_metric, buckets, 32);
AT(core_metric, label_count, 40);
AT(core_metric, bucket_count, 44);
AT(core_metric, unit, 48);
SIZE_AT_LEAST(core_metric, 56);

AT(core_cap_metrics, struct_size, 0);
AT(core_cap_metrics, reserved, 4);
AT(core_cap_metrics, define, 8);
AT(core_cap_metrics, record, 16);
SIZE_AT_LEAST(core_cap_metrics, 24);

_Static_assert(sizeof(core_call) == 8 && sizeof(core_status) == 4, "a basic type changed size");

#endif
