// The commands. Each prints what it found and returns how it ended; an error is
// printed by main().
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "starctl/failure.h"
#include "starctl/options.h"

namespace starratings::starctl {

class Session;

absl::StatusOr<ExitCode> MigrateStore(Session& session, const StoreOptions& options);
absl::StatusOr<ExitCode> CheckStore(Session& session, const StoreOptions& options);
absl::StatusOr<ExitCode> BackUpStore(Session& session, const StoreOptions& options);
absl::StatusOr<ExitCode> RestoreStore(Session& session, const StoreOptions& options);
absl::StatusOr<ExitCode> CopyStore(Session& session, const StoreOptions& options);
absl::StatusOr<ExitCode> MakeDevCerts(Session& session, const DevCertsOptions& options);

absl::StatusOr<ExitCode> RegisterOrganisations(Session& session, const RegisterOptions& options);
absl::StatusOr<ExitCode> RegisterPeriods(Session& session, const RegisterOptions& options);
absl::StatusOr<ExitCode> RegisterCodes(Session& session, const RegisterOptions& options);
absl::StatusOr<ExitCode> RegisterScheme(Session& session, const RegisterOptions& options);

absl::StatusOr<ExitCode> ImportEvidence(Session& session, const ImportOptions& options);

absl::StatusOr<ExitCode> CreateRound(Session& session, const CreateRoundOptions& options);
absl::StatusOr<ExitCode> CheckRound(Session& session, const CheckRoundOptions& options);
absl::StatusOr<ExitCode> FreezeRound(Session& session, const RoundActOptions& options);
absl::StatusOr<ExitCode> RecordRound(Session& session, const RoundActOptions& options);
absl::StatusOr<ExitCode> PublishRound(Session& session, const RoundActOptions& options);
absl::StatusOr<ExitCode> WithdrawRound(Session& session, const RoundActOptions& options);
absl::StatusOr<ExitCode> ShowRound(Session& session, const std::string& round);
absl::StatusOr<ExitCode> ListRounds(Session& session);

absl::StatusOr<ExitCode> Rate(Session& session, const RateOptions& options);
absl::StatusOr<ExitCode> AddUpRound(Session& session, const AddUpOptions& options);
absl::StatusOr<ExitCode> Explain(Session& session, const BySchemeOptions& options);
absl::StatusOr<ExitCode> Improve(Session& session, const ImproveOptions& options);
absl::StatusOr<ExitCode> AssessRobustness(Session& session, const RobustnessOptions& options);
absl::StatusOr<ExitCode> Simulate(Session& session, const SimulateOptions& options);
absl::StatusOr<ExitCode> Compare(Session& session, const CompareOptions& options);
absl::StatusOr<ExitCode> ExportRound(Session& session, const ExportRoundOptions& options);
absl::StatusOr<ExitCode> RecomputeRound(Session& session, const RecomputeOptions& options);
absl::StatusOr<ExitCode> ShowRatings(Session& session, const RatingsOptions& options);
absl::StatusOr<ExitCode> ShowSpecialMeasures(Session& session, const std::string& round);
absl::StatusOr<ExitCode> ShowDossier(Session& session, const DossierOptions& options);
absl::StatusOr<ExitCode> ShowHistory(Session& session, const HistoryOptions& options);
absl::StatusOr<ExitCode> ShowDiff(Session& session, const DiffOptions& options);
absl::StatusOr<ExitCode> WatchRounds(Session& session, const WatchOptions& options);
absl::StatusOr<ExitCode> WatchEvidence(Session& session, const WatchOptions& options);

absl::StatusOr<ExitCode> ListSchemes(Session& session);
absl::StatusOr<ExitCode> VerifyScheme(Session& session, const std::string& file);
absl::StatusOr<ExitCode> TestScheme(Session& session, const std::string& path);
absl::StatusOr<ExitCode> ApproveScheme(Session& session, const ApproveSchemeOptions& options);
absl::StatusOr<ExitCode> DiffSchemes(Session& session, const SchemeDiffOptions& options);

}  // namespace starratings::starctl
