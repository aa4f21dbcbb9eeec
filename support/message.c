/* SPDX-License-Identifier: Apache-2.0 */
#include "message.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool cs_refuse(cs_message *message, const char *format, ...) {
    if (message) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(message->text, sizeof message->text, format, arguments);
        va_end(arguments);
    }
    return false;
}

/* Writes one byte as it is shown; the number of characters. */
static size_t show_byte(unsigned char byte, char shown[5]) {
    const bool plain = byte >= ' ' && byte <= '~' && byte != '\\';
    return (size_t)snprintf(shown, 5, plain ? "%c" : byte == '\\' ? "\\%c" : "\\x%02x", byte);
}

cs_printable_words cs_printable(const char *words) {
    static const char cut[] = "...";
    cs_printable_words printable = {""};
    size_t used = 0;
    for (; *words; words++) {
        char shown[5];
        const size_t length = show_byte((unsigned char)*words, shown);
        if (used + length + sizeof cut > sizeof printable.text) {
            memcpy(printable.text + used, cut, sizeof cut);
            break;
        }
        memcpy(printable.text + used, shown, length + 1);
        used += length;
    }
    return printable;
}
