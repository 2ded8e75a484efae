// Preloaded, counts the process's fsync() and fdatasync(), and writes how many
// there were to the file that COUNT_SYNCS names when the process ends. What strace
// counts too, but without making each of them ten times as long.
#include <dlfcn.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace {

std::atomic<long> count = 0;

int Call(const char* name, int file) {
  ++count;
  using Sync = int (*)(int);
  return reinterpret_cast<Sync>(dlsym(RTLD_NEXT, name))(file);
}

// Its destructor runs at exit.
const struct Report {
  ~Report() {
    const char* path = std::getenv("COUNT_SYNCS");
    std::FILE* const out = path == nullptr ? nullptr : std::fopen(path, "w");
    if (out == nullptr) return;
    std::fprintf(out, "%ld\n", count.load());
    std::fclose(out);
  }
} report;

}  // namespace

extern "C" int fsync(int file) { return Call("fsync", file); }
extern "C" int fdatasync(int file) { return Call("fdatasync", file); }
