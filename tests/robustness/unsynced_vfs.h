// A SQLite VFS that keeps what was written but not synced in the memory of the
// process: SIGKILL takes it away, as a power cut takes what a disk was never
// told to keep.
#pragma once

namespace starratings::robustness {

// Makes it SQLite's default. With `ignore_syncs` nothing is ever synced, as
// under `PRAGMA synchronous = OFF`; call before any database is opened.
void InstallUnsyncedVfs(bool ignore_syncs);

}  // namespace starratings::robustness
