// The command line: which command, with which options.
#pragma once

namespace starratings::starctl {

// Runs what the arguments say; returns the exit code.
int Run(int argc, char** argv);

}  // namespace starratings::starctl
