#include "assessment-svc/upkeep/files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"

namespace starratings::upkeep {
namespace {

constexpr std::streamsize kBlock = 1 << 20;

absl::Status Refused(const std::string& path, int error) {
  if (error == EEXIST) {
    return status::Error(absl::StatusCode::kAlreadyExists, "FILE_EXISTS",
                         absl::StrCat(path, ": there is such a file, and it is not overwritten"));
  }
  return status::Error(absl::StatusCode::kFailedPrecondition, "FILE_REFUSED",
                       absl::StrCat(path, ": ", std::strerror(error)));
}

// Has the system put a file or folder on the disk.
absl::Status Sync(const std::string& path, int flags) {
  const int file = open(path.c_str(), flags | O_CLOEXEC);
  if (file < 0) return Refused(path, errno);
  const int error = fsync(file) == 0 ? 0 : errno;
  close(file);
  return error == 0 ? absl::OkStatus() : Refused(path, error);
}

// Renames, unless there is a file under the new name.
absl::Status RenameNew(const std::string& from, const std::string& to) {
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) {
    return absl::OkStatus();
  }
  if (errno != EINVAL) return Refused(to, errno);
  // A file system without this kind of renaming, such as NFS.
  if (link(from.c_str(), to.c_str()) != 0) return Refused(to, errno);
  unlink(from.c_str());
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<NewFile> NewFile::Create(const std::string& path) {
  RETURN_IF_ERROR(CheckNoFile(path));
  std::string temporary = path + ".partial-XXXXXX";
  const int file = mkostemp(temporary.data(), O_CLOEXEC);
  if (file < 0) return Refused(path, errno);
  close(file);
  return NewFile(path, std::move(temporary));
}

NewFile::NewFile(NewFile&& other) noexcept
    : path_(std::move(other.path_)), temporary_(std::exchange(other.temporary_, "")) {}

NewFile::~NewFile() {
  if (temporary_.empty()) return;
  // With what SQLite may have put beside it.
  for (const char* suffix : {"", "-journal", "-wal", "-shm"}) {
    unlink((temporary_ + suffix).c_str());
  }
}

absl::Status NewFile::Publish() {
  RETURN_IF_ERROR(Sync(temporary_, O_RDONLY));
  RETURN_IF_ERROR(RenameNew(temporary_, path_));
  temporary_.clear();
  const std::string folder = std::filesystem::path(path_).parent_path().string();
  return Sync(folder.empty() ? "." : folder, O_RDONLY | O_DIRECTORY);
}

absl::Status CheckNoFile(const std::string& path) {
  std::error_code error;
  const auto there = std::filesystem::symlink_status(path, error);
  return std::filesystem::exists(there) ? Refused(path, EEXIST) : absl::OkStatus();
}

absl::StatusOr<digest::Digest> DigestOfFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Refused(path, errno);
  digest::Sha256Hasher hasher;
  std::vector<char> block(kBlock);
  while (file.read(block.data(), kBlock) || file.gcount() > 0) {
    hasher.Add(absl::string_view(block.data(), static_cast<size_t>(file.gcount())));
  }
  if (file.bad()) return Refused(path, EIO);
  return hasher.Finish();
}

}  // namespace starratings::upkeep
