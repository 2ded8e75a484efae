// Files that appear whole or not at all.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/digest/sha256.h"

namespace starratings::upkeep {

// A file under a temporary name beside its own; removed unless published. For
// its owner alone.
class NewFile {
 public:
  // Makes it, empty. Returns ALREADY_EXISTS (FILE_EXISTS) if there is a file
  // under its own name, and FAILED_PRECONDITION (FILE_REFUSED), saying why, if the
  // system does not let us make it.
  static absl::StatusOr<NewFile> Create(const std::string& path);
  ~NewFile();
  NewFile(NewFile&& other) noexcept;
  NewFile& operator=(NewFile&&) = delete;

  const std::string& temporary() const { return temporary_; }

  // Puts it on the disk, under its own name. Returns as Create(): a file that has
  // appeared there meanwhile is not overwritten.
  absl::Status Publish();

 private:
  NewFile(std::string path, std::string temporary)
      : path_(std::move(path)), temporary_(std::move(temporary)) {}

  std::string path_;
  std::string temporary_;  // Empty: published.
};

// OK if there is nothing under `path`; otherwise as NewFile::Create().
absl::Status CheckNoFile(const std::string& path);

// SHA-256 of a file's bytes.
absl::StatusOr<digest::Digest> DigestOfFile(const std::string& path);

}  // namespace starratings::upkeep
