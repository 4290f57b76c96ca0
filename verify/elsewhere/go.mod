module trialcpa-verify-elsewhere

go 1.25
