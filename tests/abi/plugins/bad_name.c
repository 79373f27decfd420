/* SPDX-License-Identifier: Apache-2.0 */
#define NAME "Not A Name"
#include "bad_plugin.h"
