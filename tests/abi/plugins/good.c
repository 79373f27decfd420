/* SPDX-License-Identifier: Apache-2.0 */
#include "bad_plugin.h" /* nothing is wrong with this one but what the test does to its file */
