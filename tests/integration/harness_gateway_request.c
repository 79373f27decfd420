/* SPDX-License-Identifier: Apache-2.0 */
#include "harness_gateway_request.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static enum MHD_Result add_query(void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
    (void)kind;
    json_object_set_new(context, name, json_string(value ? value : ""));
    return MHD_YES;
}

static enum MHD_Result add_header(void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
    (void)kind;
    struct gateway_request *request = context;
    char lower[128] = "";
    for (size_t i = 0; name[i] && i < sizeof lower - 1; i++)
        lower[i] = (char)tolower((unsigned char)name[i]);
    json_object_set_new(request->headers, lower, json_string(value ? value : ""));
    request->header_count++;
    return MHD_YES;
}

struct gateway_request *gateway_request_new(struct MHD_Connection *connection, const char *method, const char *path,
                                            const char *raw_url)
{
    struct gateway_request *request = calloc(1, sizeof *request);
    if (!request)
        return NULL;
    request->method = strdup(method);
    request->path = strdup(path);
    request->raw_url = strdup(raw_url);
    request->body = strdup("");
    request->query = json_object();
    request->headers = json_object();
    if (!request->method || !request->path || !request->raw_url || !request->body || !request->query ||
        !request->headers) {
        gateway_request_free(request);
        return NULL;
    }
    MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, add_query, request->query);
    MHD_get_connection_values(connection, MHD_HEADER_KIND, add_header, request);
    return request;
}

bool gateway_request_append(struct gateway_request *request, const char *data, size_t len)
{
    char *longer = realloc(request->body, request->body_len + len + 1);
    if (!longer)
        return false;
    memcpy(longer + request->body_len, data, len);
    request->body = longer; /* transferred */
    request->body_len += len;
    request->body[request->body_len] = '\0';
    return true;
}

void gateway_request_free(struct gateway_request *request)
{
    if (!request)
        return;
    free(request->method);
    free(request->path);
    free(request->raw_url);
    free(request->body);
    json_decref(request->query);
    json_decref(request->headers);
    free(request);
}
