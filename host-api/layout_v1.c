/* SPDX-License-Identifier: Apache-2.0
 *
 * Freezes the layout of version 1.0 as it is on machines with 64-bit pointers. A failing assertion means that a change
 * broke every plugin and every host already built; mend the header, never this file. Members that a later minor appends
 * get a file of their own, and only structs with `struct_size` may grow.
 */
#include "core_cap_kv.h"
#include "core_plugin.h"

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

_Static_assert(sizeof(core_call) == 8 && sizeof(core_status) == 4, "a basic type changed size");

#endif
