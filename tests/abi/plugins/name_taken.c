/* SPDX-License-Identifier: Apache-2.0 */
#define NAME "mfa"
#include "bad_plugin.h"
