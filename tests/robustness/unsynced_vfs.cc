#include "tests/robustness/unsynced_vfs.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace starratings::robustness {
namespace {

// What a file will hold once it is synced, and what it holds until then.
// Shared by all connections of the process.
struct Contents {
  std::mutex mutex;
  bool loaded = false;
  std::vector<char> bytes;  // As its readers see it.
  // What differs from the disk: from offset up to end.
  std::map<int64_t, int64_t> dirty;
  bool truncated = false;
};

struct File {
  sqlite3_file base;
  sqlite3_file* real;
  Contents* contents;
};

sqlite3_vfs* real_vfs = nullptr;
bool ignores_syncs = false;

Contents& ContentsOf(const std::string& path) {
  static auto* const mutex = new std::mutex();
  static auto* const all = new std::map<std::string, std::unique_ptr<Contents>>();
  const std::lock_guard lock(*mutex);
  std::unique_ptr<Contents>& contents = (*all)[path];
  if (contents == nullptr) contents = std::make_unique<Contents>();
  return *contents;
}

File* Of(sqlite3_file* file) { return reinterpret_cast<File*>(file); }

int Load(File& file) {
  if (file.contents->loaded) return SQLITE_OK;
  sqlite3_int64 size = 0;
  if (const int result = file.real->pMethods->xFileSize(file.real, &size)) return result;
  file.contents->bytes.resize(static_cast<size_t>(size));
  file.contents->loaded = true;
  if (size == 0) return SQLITE_OK;
  return file.real->pMethods->xRead(file.real, file.contents->bytes.data(), static_cast<int>(size),
                                    0);
}

int Close(sqlite3_file* base) { return Of(base)->real->pMethods->xClose(Of(base)->real); }

int Read(sqlite3_file* base, void* out, int amount, sqlite3_int64 offset) {
  File& file = *Of(base);
  const std::lock_guard lock(file.contents->mutex);
  if (const int result = Load(file)) return result;
  const auto size = static_cast<int64_t>(file.contents->bytes.size());
  const int64_t there = std::clamp<int64_t>(size - offset, 0, amount);
  if (there > 0) std::memcpy(out, file.contents->bytes.data() + offset, static_cast<size_t>(there));
  if (there == amount) return SQLITE_OK;
  std::memset(static_cast<char*>(out) + there, 0, static_cast<size_t>(amount - there));
  return SQLITE_IOERR_SHORT_READ;
}

int Write(sqlite3_file* base, const void* data, int amount, sqlite3_int64 offset) {
  File& file = *Of(base);
  const std::lock_guard lock(file.contents->mutex);
  if (const int result = Load(file)) return result;
  const int64_t end = offset + amount;
  std::vector<char>& bytes = file.contents->bytes;
  if (static_cast<int64_t>(bytes.size()) < end) bytes.resize(static_cast<size_t>(end));
  std::memcpy(bytes.data() + offset, data, static_cast<size_t>(amount));
  int64_t& dirty_end = file.contents->dirty[offset];
  dirty_end = std::max(dirty_end, end);
  return SQLITE_OK;
}

int Truncate(sqlite3_file* base, sqlite3_int64 size) {
  File& file = *Of(base);
  const std::lock_guard lock(file.contents->mutex);
  if (const int result = Load(file)) return result;
  file.contents->bytes.resize(static_cast<size_t>(size));
  file.contents->truncated = true;
  return SQLITE_OK;
}

int Sync(sqlite3_file* base, int flags) {
  if (ignores_syncs) return SQLITE_OK;
  File& file = *Of(base);
  const std::lock_guard lock(file.contents->mutex);
  if (const int result = Load(file)) return result;
  const auto size = static_cast<int64_t>(file.contents->bytes.size());
  if (file.contents->truncated) {
    if (const int result = file.real->pMethods->xTruncate(file.real, size)) return result;
  }
  for (const auto& [offset, dirty_end] : file.contents->dirty) {
    const int64_t end = std::min(dirty_end, size);
    if (offset >= end) continue;
    if (const int result =
            file.real->pMethods->xWrite(file.real, file.contents->bytes.data() + offset,
                                        static_cast<int>(end - offset), offset)) {
      return result;
    }
  }
  file.contents->dirty.clear();
  file.contents->truncated = false;
  return file.real->pMethods->xSync(file.real, flags);
}

int FileSize(sqlite3_file* base, sqlite3_int64* size) {
  File& file = *Of(base);
  const std::lock_guard lock(file.contents->mutex);
  if (const int result = Load(file)) return result;
  *size = static_cast<sqlite3_int64>(file.contents->bytes.size());
  return SQLITE_OK;
}

// All else is the real file's.
int Lock(sqlite3_file* f, int level) { return Of(f)->real->pMethods->xLock(Of(f)->real, level); }
int Unlock(sqlite3_file* f, int level) {
  return Of(f)->real->pMethods->xUnlock(Of(f)->real, level);
}
int CheckReservedLock(sqlite3_file* f, int* out) {
  return Of(f)->real->pMethods->xCheckReservedLock(Of(f)->real, out);
}
int FileControl(sqlite3_file* f, int op, void* arg) {
  return Of(f)->real->pMethods->xFileControl(Of(f)->real, op, arg);
}
int SectorSize(sqlite3_file* f) { return Of(f)->real->pMethods->xSectorSize(Of(f)->real); }
int DeviceCharacteristics(sqlite3_file* f) {
  return Of(f)->real->pMethods->xDeviceCharacteristics(Of(f)->real);
}
int ShmMap(sqlite3_file* f, int region, int size, int extend, void volatile** out) {
  return Of(f)->real->pMethods->xShmMap(Of(f)->real, region, size, extend, out);
}
int ShmLock(sqlite3_file* f, int offset, int n, int flags) {
  return Of(f)->real->pMethods->xShmLock(Of(f)->real, offset, n, flags);
}
void ShmBarrier(sqlite3_file* f) { Of(f)->real->pMethods->xShmBarrier(Of(f)->real); }
int ShmUnmap(sqlite3_file* f, int remove) {
  return Of(f)->real->pMethods->xShmUnmap(Of(f)->real, remove);
}

const sqlite3_io_methods kMethods = {
    /*iVersion=*/2,
    Close,
    Read,
    Write,
    Truncate,
    Sync,
    FileSize,
    Lock,
    Unlock,
    CheckReservedLock,
    FileControl,
    SectorSize,
    DeviceCharacteristics,
    ShmMap,
    ShmLock,
    ShmBarrier,
    ShmUnmap,
    nullptr,
    nullptr,
};

int Open(sqlite3_vfs*, const char* name, sqlite3_file* base, int flags, int* out_flags) {
  File& file = *Of(base);
  file.base.pMethods = nullptr;
  file.real = reinterpret_cast<sqlite3_file*>(&file + 1);
  const int result = real_vfs->xOpen(real_vfs, name, file.real, flags, out_flags);
  if (result != SQLITE_OK) return result;
  // Files without a name are nobody else's and do not outlive the process.
  static int temporaries = 0;
  file.contents = &ContentsOf(name != nullptr ? name : "temporary" + std::to_string(++temporaries));
  file.base.pMethods = &kMethods;
  return SQLITE_OK;
}

int Delete(sqlite3_vfs*, const char* name, int sync_directory) {
  Contents& contents = ContentsOf(name);
  const std::lock_guard lock(contents.mutex);
  contents.loaded = false;
  contents.bytes.clear();
  contents.dirty.clear();
  contents.truncated = false;
  return real_vfs->xDelete(real_vfs, name, sync_directory);
}

}  // namespace

void InstallUnsyncedVfs(bool ignore_syncs) {
  ignores_syncs = ignore_syncs;
  sqlite3_initialize();
  real_vfs = sqlite3_vfs_find(nullptr);
  static sqlite3_vfs vfs;
  vfs = *real_vfs;
  vfs.zName = "unsynced";
  vfs.szOsFile = static_cast<int>(sizeof(File)) + real_vfs->szOsFile;
  vfs.xOpen = Open;
  vfs.xDelete = Delete;
  if (sqlite3_vfs_register(&vfs, /*makeDflt=*/1) != SQLITE_OK) {
    std::fputs("cannot install the VFS\n", stderr);
    std::abort();
  }
}

}  // namespace starratings::robustness
