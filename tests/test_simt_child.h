// SPDX-License-Identifier: Apache-2.0
//
// Runs what must end the program in a child process, and looks at the message it leaves.
#ifndef CONVSMITH_TEST_SIMT_CHILD_H
#define CONVSMITH_TEST_SIMT_CHILD_H

#include "test_simt.h"

#include <csignal>
#include <cstdio>
#include <string>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace test_simt {

template <class Case> [[noreturn]] void be_the_child(const Case &fault, int pipe_end) {
    const rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    // Not the handler by which cmocka survives a fault.
    std::signal(SIGSEGV, SIG_DFL);
    dup2(pipe_end, STDERR_FILENO);
    fault.act(fault);
    _exit(0);
}

// What the child said on its standard error; *status is how it ended.
template <class Case> std::string message_of(const Case &fault, int *status) {
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    std::fflush(nullptr);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        be_the_child(fault, ends[1]);
    }
    close(ends[1]);
    std::string message;
    char part[512];
    for (ssize_t got; (got = read(ends[0], part, sizeof part)) > 0;) {
        message.append(part, static_cast<std::size_t>(got));
    }
    close(ends[0]);
    waitpid(child, status, 0);
    return message;
}

// A test whose state is a Case: its act must end the program with a message that contains its message.
template <class Case> void ends_with_its_message(void **state) {
    const Case &fault = *static_cast<const Case *>(*state);
    int status = 0;
    static std::string message;
    message = message_of(fault, &status);
    if (message.find(fault.message) == std::string::npos) {
        fail_msg("\"%s\" is not in the message \"%s\"", fault.message, message.c_str());
    }
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

} // namespace test_simt

#endif
