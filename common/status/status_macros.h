// RETURN_IF_ERROR and ASSIGN_OR_RETURN, and nothing else.
#pragma once

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// Returns the status of `expr` from the enclosing function unless it is OK.
#define RETURN_IF_ERROR(expr)                                         \
  do {                                                                \
    if (absl::Status status_ = (expr); !status_.ok()) return status_; \
  } while (false)

#define STARRATINGS_CONCAT_INNER(a, b) a##b
#define STARRATINGS_CONCAT(a, b) STARRATINGS_CONCAT_INNER(a, b)

// ASSIGN_OR_RETURN(const auto x, F()): x is what F() returned, or the
// enclosing function returns F()'s status.
#define ASSIGN_OR_RETURN(declaration, expr) \
  ASSIGN_OR_RETURN_INNER(STARRATINGS_CONCAT(result_, __LINE__), declaration, expr)
#define ASSIGN_OR_RETURN_INNER(result, declaration, expr) \
  auto result = (expr);                                   \
  if (!result.ok()) return std::move(result).status();    \
  declaration = *std::move(result)
