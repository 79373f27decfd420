/* SPDX-License-Identifier: Apache-2.0 */
#include "behaviour.h"

#include <string.h>
#include <sys/socket.h>

#define RESET_PROMISED_LEN 65536
#define RESET_SENT_LEN 512

static const char *const mode_names[] = {
    [BEHAVIOUR_OK] = "ok",
    [BEHAVIOUR_STALL] = "stall",
    [BEHAVIOUR_ERROR500] = "error500",
    [BEHAVIOUR_REDIRECT] = "redirect",
    [BEHAVIOUR_GARBAGE] = "garbage",
    [BEHAVIOUR_RESET] = "reset",
};

static bool parse_mode(enum behaviour_mode *out, const char *name)
{
    for (size_t i = 0; i < sizeof mode_names / sizeof *mode_names; i++) {
        if (strcmp(name, mode_names[i]) == 0) {
            *out = (enum behaviour_mode)i;
            return true;
        }
    }
    return false;
}

bool behaviour_parse(struct behaviour *out, json_t *in)
{
    *out = (struct behaviour){0};
    const char *mode_name = mode_names[BEHAVIOUR_OK];
    json_int_t delay_ms = 0;
    enum behaviour_mode mode = BEHAVIOUR_OK;
    if (json_unpack_ex(in, NULL, JSON_STRICT, "{s?s, s?I}", "mode", &mode_name, "delayMs", &delay_ms) != 0)
        return false;
    if (!parse_mode(&mode, mode_name) || delay_ms < 0 || delay_ms > BEHAVIOUR_DELAY_MAX_MS)
        return false;
    *out = (struct behaviour){.mode = mode, .delay_ms = (uint32_t)delay_ms};
    return true;
}

/* Closing alone would end the connection in good order first. Linux resets a socket that is disconnected. */
static void reset_connection(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    if (info)
        (void)connect(info->connect_fd, &nowhere, sizeof nowhere);
}

static ssize_t read_until_reset(void *context, uint64_t pos, char *buffer, size_t size)
{
    if (pos >= RESET_SENT_LEN) {
        reset_connection(context);
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    size_t len = size < RESET_SENT_LEN - pos ? size : RESET_SENT_LEN - (size_t)pos;
    memset(buffer, 'x', len);
    return (ssize_t)len;
}

static struct reply reset_in_the_middle(struct MHD_Connection *connection)
{
    return (struct reply){
        .status = MHD_HTTP_OK,
        .response =
            MHD_create_response_from_callback(RESET_PROMISED_LEN, RESET_SENT_LEN, read_until_reset, connection, NULL),
    };
}

struct reply behaviour_reply(enum behaviour_mode mode, struct MHD_Connection *connection)
{
    struct reply reply = {0};
    switch (mode) {
    case BEHAVIOUR_ERROR500: return reply_text(MHD_HTTP_INTERNAL_SERVER_ERROR, "text/plain", "upstream unavailable");
    case BEHAVIOUR_GARBAGE:
        return reply_text(MHD_HTTP_OK, "text/html", "<html><body>Sign in to the network</body></html>");
    case BEHAVIOUR_RESET: return reset_in_the_middle(connection);
    case BEHAVIOUR_REDIRECT:
        reply = reply_text(MHD_HTTP_FOUND, "text/plain", "");
        reply_add_header(&reply, MHD_HTTP_HEADER_LOCATION, "/elsewhere");
        return reply;
    case BEHAVIOUR_OK:
    case BEHAVIOUR_STALL: break;
    }
    return reply;
}
