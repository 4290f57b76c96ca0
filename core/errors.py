"""Every error of ours, under one root.

`code` is part of the public contract and never changes its meaning; `str()` is for people; `hint` says what to do
next. Fields carry the facts. What an error means in HTTP is said once, in api/problems.py, by these families.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar


class TrialCpaError(Exception):
    """The root. Never raised itself.

    Args:
        fields: the facts, by name; they fill the class's `sentence` and `hint_text`.
    """

    code: ClassVar[str] = "internal"
    sentence: ClassVar[str] = "Something failed that should not."
    hint_text: ClassVar[str] = "Look into the service's log."

    def __init__(self, **fields: object) -> None:
        self.fields = fields
        super().__init__(self.sentence.format(**fields))

    @property
    def hint(self) -> str:
        """What to do next, in a sentence."""
        return self.hint_text.format(**self.fields)


# --- families: each one has one meaning in HTTP ------------------------------------------------------------------


class RequestMalformed(TrialCpaError):
    """The bytes or words are not of the form the contract asks for."""


class RequestUnsupported(TrialCpaError):
    """The input is wrapped or coded as nothing here is read (RFC 9110, 15.5.16)."""


class RequestTooLarge(TrialCpaError):
    """The input is larger than a named limit."""


class NotAuthenticated(TrialCpaError):
    """No credential, or one that is unknown, expired or revoked."""


class NotPermitted(TrialCpaError):
    """The actor is known and may not do this."""


class NotFound(TrialCpaError):
    """There is no such thing, or none that this actor may see."""


class Conflict(TrialCpaError):
    """The thing is no longer in the state that the act needs; somebody else may have been first."""


class TooMany(TrialCpaError):
    """As much has been done lately as may be; the same is done later, without anybody doing anything else."""


class Refusal(TrialCpaError):
    """The request is well formed and the rules say no."""


class Unavailable(TrialCpaError):
    """It cannot be answered truthfully at this moment."""


class ConfigurationError(TrialCpaError):
    """Settings, files or the machine are not as they must be; the process does not start."""


class IntegrityError(TrialCpaError):
    """What we hold contradicts itself; nothing is signed or published on top of it."""


# --- malformed ---------------------------------------------------------------------------------------------------


class InstantMalformed(RequestMalformed):
    """A date or time that cannot be read."""

    code = "instant-malformed"
    sentence = "{field}: “{value}” is not a date or time that can be used."
    hint_text = "Write days as 2027-06-30 and instants as 2027-06-30T23:59:59Z, with their offset."


class DayAmbiguous(InstantMalformed):
    """A date in numbers of which nobody can say what is the day and what the month."""

    code = "day-ambiguous"
    sentence = "{field}: “{value}” may be {first}, with the day first, or {second}, with the month first."
    hint_text = "Write 30 June 2027 or 2027-06-30; of a file it can be said that the day comes first."


class InstantInFuture(RequestMalformed):
    """A question about an instant that has not come."""

    code = "instant-in-future"
    sentence = "{field}: {value} has not come yet; what is true then is not known."
    hint_text = "Ask for a past instant, or leave “at” out to ask about now."


class MonthMalformed(RequestMalformed):
    """Not a month of a report."""

    code = "month-malformed"
    sentence = "“{value}” is not a month."
    hint_text = "Write it as 2027-05."


class IdentifierMalformed(RequestMalformed):
    """Not an approval identifier, or one with a wrong check character."""

    code = "identifier-malformed"
    sentence = "“{value}” is not an approval identifier."
    hint_text = "Copy it again from the notice or the certificate, for example TDA-2027-0042-Y; one character is wrong."


class SerialMalformed(RequestMalformed):
    """Not a certificate serial number."""

    code = "serial-malformed"
    sentence = "“{value}” is not a certificate serial number: {detail}."
    hint_text = "Write it as hexadecimal digits, as openssl x509 -serial prints it."


class NoteMalformed(RequestMalformed):
    """Not a signed note of a log, or not a key that verifies one."""

    code = "note-malformed"
    sentence = "It is no signed checkpoint or verifier key of a log: {detail}."
    hint_text = "Take it as the log hands it out, to its last line’s end."


class DeviceIdMalformed(RequestMalformed):
    """Not an EUI-64."""

    code = "device-id-malformed"
    sentence = "“{value}” is not a device identifier: {detail}."
    hint_text = "Write an EUI-64 as eight pairs of hexadecimal digits, 00-DB-12-34-56-78-90-01."


class BodyMalformed(RequestMalformed):
    """A request body that is not of the form the contract describes."""

    code = "body-malformed"
    sentence = "The request cannot be read: {detail}."
    hint_text = "Mend that and send it again; for programs, /openapi.json describes the form of each request."


class NothingSaid(RequestMalformed):
    """Words that an act cannot do without are missing, or are blanks."""

    code = "nothing-said"
    sentence = "There is nothing to read in: {what}."
    hint_text = "Say it in words: whoever reads the record, or the notice, has nothing else."


class CsrMalformed(RequestMalformed):
    """Bytes that are not a PKCS#10 request that can be read."""

    code = "csr-malformed"
    sentence = "The certificate signing request cannot be read: {detail}."
    hint_text = "Send one PKCS#10 request, PEM or bare base64, as openssl req -new makes it."


class CertificateMalformed(RequestMalformed):
    """Bytes that are not a certificate."""

    code = "certificate-malformed"
    sentence = "The certificate cannot be read: {detail}."
    hint_text = "Send one certificate in PEM."


class EvidenceUnacceptable(RequestMalformed):
    """A file of a type that is not taken, or whose content is not what it is said to be. Its words are not repeated."""

    code = "evidence-unacceptable"
    sentence = "The file cannot be taken: {detail}."
    hint_text = "Send a PDF, an XLSX workbook without macros, a CSV or a plain text in UTF-8, under its own media type."


class DeploymentsMalformed(RequestMalformed):
    """A report of deployments whose form is wrong as a whole. What it holds is not repeated."""

    code = "deployments-malformed"
    sentence = "The deployments cannot be read: {detail}."
    hint_text = "docs/deployments.md describes the three forms, column by column; nothing of it was recorded."


class InventoryUnusable(RequestMalformed):
    """An XML message that is no answer to a Read Inventory request. What it holds is not repeated."""

    code = "inventory-unusable"
    sentence = "The message is no inventory that can be used: {detail}."
    hint_text = "Send the response to service request 8.2 (Read Inventory) as the DCC gave it, unchanged."


class WorkbookRefused(RequestMalformed):
    """A file that is no workbook, or none that may be opened. Its words are not repeated."""

    code = "workbook-refused"
    sentence = "The workbook cannot be read: {detail}."
    hint_text = "Save it again as an Excel workbook (.xlsx), or as CSV UTF-8, and send that."


class ListUnreadable(RequestMalformed):
    """A products list whose form is wrong as a whole: no header row, or columns that are missing."""

    code = "list-unreadable"
    sentence = "The list cannot be read: {detail}."
    hint_text = "Its columns are named in a header row, in any order; docs/products-list.md names them."


class FileCompressed(RequestUnsupported):
    """A file that was compressed before it was sent."""

    code = "file-compressed"
    sentence = "The file is compressed with gzip; only plain files are read."
    hint_text = "Send it as it was before it was compressed."


class CsrTooLarge(RequestTooLarge):
    """A certificate signing request above the limit."""

    code = "csr-too-large"
    sentence = "The certificate signing request is larger than {limit} octets."
    hint_text = "Send one PKCS#10 request and nothing else; one with an elliptic curve key is below 1,000 octets."


class EvidenceTooLarge(RequestTooLarge):
    """A file above the limit."""

    code = "evidence-too-large"
    sentence = "The file is larger than {limit} octets."
    hint_text = "Send a smaller file, or divide it."


class DeploymentsTooMany(RequestTooLarge):
    """More lines in one report of deployments than are taken at once."""

    code = "deployments-too-many"
    sentence = "The report has more than {limit} lines."
    hint_text = "Send it in several; nothing of it was recorded."


class QuestionsTooMany(RequestTooLarge):
    """More questions in one batch than are answered at once."""

    code = "questions-too-many"
    sentence = "The batch has more than {limit:,} questions."
    hint_text = "Ask in several batches; none of these was answered."


class WorkbookTooLarge(RequestTooLarge):
    """A workbook, or a list in it, above a limit; a bomb is one too."""

    code = "workbook-too-large"
    sentence = "The workbook has more than {limit} {what}."
    hint_text = "Send the list alone, without other sheets, or as CSV UTF-8."


class ListTooLong(RequestTooLarge):
    """A products list with more lines than are read."""

    code = "list-too-long"
    sentence = "The list has more than {limit} lines."
    hint_text = "Send the entries of trials only, or divide the list."


class BodyTooLarge(RequestTooLarge):
    """A request body above the limit for its kind."""

    code = "body-too-large"
    sentence = "The request is larger than {limit} octets."
    hint_text = "Send less in one request."


# --- access ------------------------------------------------------------------------------------------------------


class CredentialMissing(NotAuthenticated):
    """No credential was shown."""

    code = "credential-missing"
    sentence = "This needs a credential and none was sent."
    hint_text = "Send your API key as “Authorization: Bearer <key>”."


class CredentialInvalid(NotAuthenticated):
    """Unknown, expired or revoked; which of them is not told to strangers.

    The fields `name`, `role`, `organisation` and `ended`, where they are known, are for the log.
    """

    code = "credential-invalid"
    sentence = "The credential is not valid."
    hint_text = "Ask the SSC's administrator for a new API key."


class PasskeyRefused(NotAuthenticated):
    """A passkey, or an invitation to enrol one, that lets nobody in."""

    code = "passkey-refused"
    sentence = "Nobody is let in: {detail}."
    hint_text = "Ask the SSC's administrator for a new invitation; each holds for an hour and is taken up once."


class OperationNotPermitted(NotPermitted):
    """The role, or the owner of the thing, does not allow it."""

    code = "operation-not-permitted"
    sentence = "The role {role} may not {operation} here."
    hint_text = "Ask somebody whose role allows it; trialcpa status shows what waits for you."


class NotTheAuthor(NotPermitted):
    """Somebody else's words are to be taken back."""

    code = "not-the-author"
    sentence = "{author} said this; nobody else takes it back."
    hint_text = "Ask them, or answer it in words of your own."


class SamePerson(NotPermitted):
    """Proposer and seconder are one person."""

    code = "same-person"
    sentence = "{person} proposed this decision and cannot second it."
    hint_text = "Another officer must second it."


class NotTheProposer(NotPermitted):
    """Somebody signs as its proposer for what another has proposed."""

    code = "not-the-proposer"
    sentence = "Decision {identifier} was proposed by {proposer}, who alone signs for it as its proposer."
    hint_text = "Look at it and second it: trialcpa decide second {identifier}."


class AuthorisationMissing(NotPermitted):
    """An act that counts came without the officer's own signature."""

    code = "authorisation-missing"
    sentence = "To {act} needs the signature of an officer's own key, and none came with it."
    hint_text = (
        "Sign with your key: every trialcpa command that decides does so (--officer-key), or trialcpa officer sign "
        "prints an authorisation to be sent."
    )


class AuthorisationRefused(NotPermitted):
    """The signature that came with an act does not authorise it; `flaw` says in one word why."""

    code = "authorisation-refused"
    sentence = "The authorisation does not count ({flaw}): {detail}."
    hint_text = (
        "Look at what is to be authorised once more and sign that: trialcpa officer sign. Whose keys count is shown by "
        "trialcpa roster show."
    )


# --- not found ---------------------------------------------------------------------------------------------------


class LogEmpty(NotFound):
    """The public log has no checkpoint yet."""

    code = "log-empty"
    sentence = "The public log has no checkpoint yet."
    hint_text = "Ask again in a few seconds: the authority signs one soon after its start."


class RegisterUnsigned(NotFound):
    """No public register has been signed yet."""

    code = "register-unsigned"
    sentence = "No public register has been signed yet."
    hint_text = "Ask again in a few minutes; without a statement signer (trialcpa statement-signer) none is."


class RegisterTooLong(NotFound):
    """More approvals than a workbook is made of."""

    code = "register-too-long"
    sentence = "The public register has more than {limit} approvals, more than a workbook is made of."
    hint_text = "Ask for as=csv, or for the register as JSON."


class NoSuchThing(NotFound):
    """An application, decision, approval, certificate or credential that is not there, or not for this actor."""

    code = "not-found"
    sentence = "There is no {kind} {identifier}."
    hint_text = "Check the identifier; lists show what you may see."


class NoRoster(NotFound):
    """No officer's key counts yet: the authority was made before there were any."""

    code = "no-roster"
    sentence = "There is no roster of officers' keys yet; officers act by their API keys alone."
    hint_text = "Make one with the root's folder: trialcpa roster begin."


# --- conflicts ---------------------------------------------------------------------------------------------------


class WrongState(Conflict):
    """A conditional write found another state than it needs."""

    code = "wrong-state"
    sentence = "{kind} {identifier} is {state}; this needs it to be {needed}."
    hint_text = "Fetch it again: somebody may have acted at the same moment."


class DraftOvertaken(Conflict):
    """A draft was sent that has been written in since whoever sends it read it."""

    code = "draft-overtaken"
    sentence = "Draft {draft} says something else than when you read it."
    hint_text = "Read it again, and send it if it says what you mean."


class DraftUnreadable(Conflict):
    """What is kept of a draft is not what we have written, or a part of it is gone."""

    code = "draft-unreadable"
    sentence = "Draft {draft} cannot be read any more."
    hint_text = "Throw it away where your drafts are listed, and begin another."


class InstructionSuperseded(Conflict):
    """An instruction about the products list that a later one has overtaken."""

    code = "instruction-superseded"
    sentence = "Instruction {identifier} is superseded: {detail}."
    hint_text = "Do what the newest instruction for the entry says, and acknowledge that one."


class DigestMismatch(Conflict):
    """The seconder repeated other digests than those of the proposal and its draft."""

    code = "digest-mismatch"
    sentence = "The {which} you accept is not the one on record."
    hint_text = "Fetch the decision again, read it, and repeat both digests from it."


class AlreadyEnded(Conflict):
    """The approval or the certificate has ended; the first end wins."""

    code = "already-ended"
    sentence = "{identifier} has already ended ({state})."
    hint_text = "Nothing more needs to be done; the first end stands."


class KeyTaken(Conflict):
    """The public key is reserved or certified under another approval, or was compromised."""

    code = "key-already-certified"
    sentence = "The public key of this request is already in use or may never be used again."
    hint_text = "Make a new key pair for this device and send a new request."


class DeviceAlreadyApproved(Conflict):
    """Two approvals of one device would overlap."""

    code = "approval-overlaps"
    sentence = "Another approval of this device, {other}, covers part of these dates."
    hint_text = "Choose dates after it ends, or amend that approval."


class NameTaken(Conflict):
    """A name that must be unique is in use."""

    code = "name-taken"
    sentence = "There is already an {kind} called {name}."
    hint_text = "Use the one that is there, or choose another name."


class EvidenceFull(Conflict):
    """There are as many files already as one subject may have."""

    code = "evidence-full"
    sentence = "{limit} files are attached already; there is no room for another."
    hint_text = "Put what belongs together into one file, or ask the SSC."


class BoundReached(Conflict):
    """An organisation keeps as much open, or stored, as it may.

    A conflict and not a pace: it passes when something that is there is decided or taken back, not with time.
    The fields are `what`, its `limit`, and how much is `present`.
    """

    code = "bound-reached"
    sentence = "Your organisation may have {limit:,} {what}, has {present:,}, and this would be more."
    hint_text = "{remedy}."


class TooMuchToday(TooMany):
    """An organisation has done as much in 24 hours as it may.

    The fields are `what`, its `limit`, and how much is `present`.
    """

    code = "too-much-today"
    sentence = "Your organisation may make {limit:,} {what} in 24 hours, has made {present:,}, and this would be more."
    hint_text = "Send it again later, or in smaller parts; each that was made counts for 24 hours."


class AskedTooOften(TooMany):
    """A calendar was fetched more often than any program needs."""

    code = "asked-too-often"
    sentence = "Calendars are asked for too often from where you are, or for the organisation whose this is."
    hint_text = "Let your calendar program ask every few hours."


class IdempotencyKeyReused(Conflict):
    """One Idempotency-Key with two different requests."""

    code = "idempotency-key-reused"
    sentence = "This Idempotency-Key came with a different request before."
    hint_text = "Use a new key for a new request."


class ReportOutOfTurn(Conflict):
    """A monthly report that cannot be issued or added to now."""

    code = "report-out-of-turn"
    sentence = "The report for {month} cannot be taken further: {detail}."
    hint_text = "GET /v1/reports lists those that were issued; the next counts from there."


class DecisionLapsed(Conflict):
    """The dates of a proposal have passed before it was seconded."""

    code = "decision-lapsed"
    sentence = "Decision {identifier} has lapsed: {detail}."
    hint_text = "Propose a new decision with dates that have not passed."


# --- refusals ----------------------------------------------------------------------------------------------------


class Severity(StrEnum):
    """How much a finding weighs. A fatal one refuses; the others are shown to the officers."""

    NOTICE = "notice"
    WARNING = "warning"
    FATAL = "fatal"


@dataclass(frozen=True)
class Finding:
    """What a rule found.

    Args:
        code: stable, kebab-case.
        clause: the paragraph of Section F, or the section of an RFC.
        severity: what follows from it.
        detail: a sentence for people.
        remedy: what to do about it, a sentence; empty if nothing needs doing.
    """

    code: str
    clause: str
    severity: Severity
    detail: str
    remedy: str = ""


class RulesRefused(Refusal):
    """At least one fatal finding. All findings are told at once."""

    code = "rules-refused"
    sentence = "{detail}"
    hint_text = "Mend what the findings name and send it again."

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        fatal = [finding.detail for finding in findings if finding.severity is Severity.FATAL]
        super().__init__(detail=" ".join(fatal), count=len(fatal))


class NcscCertificateRefused(Refusal):
    """A certificate of the NCSC that cannot be recorded as it is described."""

    code = "ncsc-certificate-refused"
    sentence = "The certificate of the NCSC was not recorded: {detail}."
    hint_text = "Correct it and send it again."


class CredentialRefused(Refusal):
    """A credential that is asked for and would not be right."""

    code = "credential-refused"
    sentence = "The credential was not made: {detail}."
    hint_text = "Correct it and ask again."


# --- unavailable -------------------------------------------------------------------------------------------------


class StatusStale(Unavailable):
    """The snapshot that status answers come from is older than allowed."""

    code = "status-stale"
    sentence = "The status held here is {age} seconds old, more than the {limit} allowed."
    hint_text = "Try again shortly; the operator should look at /readyz."


class RegisterWentBack(Unavailable):
    """The register is older than what was told from it: what it says may have been ended, or never have been."""

    code = "register-went-back"
    sentence = "The register is older than what was told from it before; nothing but an end can be told truthfully."
    hint_text = "Try again later; the operator should look at /readyz."


class StoreUnavailable(Unavailable):
    """The database does not answer, or is busy for longer than we wait."""

    code = "store-unavailable"
    sentence = "The register cannot be reached at this moment."
    hint_text = "Try again in a few seconds; nothing was recorded."


class StoreReadOnly(StoreUnavailable):
    """The database may only be read: a standby, a setting, the mode of a file."""

    code = "store-read-only"
    sentence = "The register takes no writes at this moment: it is read-only."
    hint_text = "Try again in a few minutes; nothing was recorded. The operator should look at /readyz?for=writing."


class StoreFull(StoreUnavailable):
    """The database has no room for what was to be written."""

    code = "store-full"
    sentence = "The register takes no writes at this moment: its disk is full."
    hint_text = "Try again in a few minutes; nothing was recorded. The operator should look at /readyz?for=writing."


class OutcomeUnknown(StoreUnavailable):
    """The database fell silent after it was asked to commit."""

    code = "outcome-unknown"
    sentence = "The register did not say in time whether this was recorded."
    hint_text = "Send it again under the same Idempotency-Key; without one, look first whether it is there."


class ClockDoubtful(Unavailable):
    """The authority's clock is doubted, or ours is behind it: what needs a date that holds is not recorded."""

    code = "clock-doubtful"
    sentence = "Nothing is granted or seconded at this moment: {detail}."
    hint_text = "Try again later; revocations and withdrawals are taken. The operator should look at /readyz."


class IssuingStopped(Unavailable):
    """An officer has stopped issuing: what would end in a certificate is not recorded."""

    code = "issuing-stopped"
    sentence = "Nothing that ends in a certificate is proposed or seconded at this moment: {detail}"
    hint_text = (
        "Refusals, revocations and withdrawals are taken, and status goes on. Two officers start it again: trialcpa "
        "start-issuing."
    )


class PublicRegisterDiffers(Unavailable):
    """What the rows say is not the public register that was signed."""

    code = "public-register-differs"
    sentence = "The public register that is here is not the one that was signed."
    hint_text = "Try again later; the operator should look at /readyz and at the authority's alarms."


class LogDamaged(Unavailable):
    """Rows of the public log are not what they have to be: nothing can be proved from them."""

    code = "log-damaged"
    sentence = "What is here of the public log does not prove what was asked."
    hint_text = "Try again later; the operator should look at /readyz and at the authority's alarms."


class RegisterBeingMade(Unavailable):
    """The first file of the public register is not ready yet."""

    code = "register-being-made"
    sentence = "The public register is being put together at this moment."
    hint_text = "Ask again in a few seconds."


class OutcomeUnreadable(Unavailable):
    """What is kept under an Idempotency-Key is no outcome of the request."""

    code = "outcome-unreadable"
    sentence = "This request was recorded before, and what it was answered with cannot be read any more."
    hint_text = "Look whether it is there before it is sent under another Idempotency-Key; the operator should be told."


class RegisterUnreadable(Unavailable):
    """A row says what nothing here has written, and what was asked for rests upon it."""

    code = "register-unreadable"
    sentence = "What a row of the register says cannot be read: its {what} is none that is known here."
    hint_text = "Tell the operator: trialcpa audit verify names rows that do not follow from the journal."


class AuthorityUnreachable(Unavailable):
    """A relying party's question got no answer."""

    code = "authority-unreachable"
    sentence = "The authority at {url} cannot be reached: {detail}."
    hint_text = "Try again; until it answers, believe nothing that has not been proved offline."


class AuthorityRefused(Unavailable):
    """The authority answered a relying party's question with a problem document.

    The fields `problem` (its stable code) and `detail` are the authority's own words.
    """

    code = "authority-refused"
    sentence = "The authority refused ({status}, {problem}): {detail}"
    hint_text = "Its codes are listed in /openapi.json."


class AuthorityAnswerMalformed(Unavailable):
    """The authority's answer is not of the form that the contract promises."""

    code = "authority-answer-malformed"
    sentence = "The answer from {url} cannot be used: {detail}."
    hint_text = "Check that the address is the authority's; then ask its operator."


class MailRefused(Unavailable):
    """The mail relay did not take a message; its own words are not repeated, they may quote it.

    The field `temporary` says whether the same message may be taken later.
    """

    code = "mail-refused"
    sentence = "The mail was not sent: {detail}."
    hint_text = "It is tried again by itself; if it goes on failing, check [mail] in the settings and the address."

    @property
    def temporary(self) -> bool:
        """Whether the same message may be taken later, as far as the relay says."""
        return bool(self.fields["temporary"])


# --- configuration and integrity ---------------------------------------------------------------------------------


class SettingsInvalid(ConfigurationError):
    """The settings file is wrong; every problem is told at once."""

    code = "settings-invalid"
    sentence = "The settings in {path} cannot be used: {problems}"
    hint_text = "Mend each of them; docs/settings.md describes every key."


class HomeMissing(ConfigurationError):
    """There is no authority where one was looked for."""

    code = "home-missing"
    sentence = "There is no authority in {path}."
    hint_text = "Make one with trialcpa init, or name the right folder with --home or TRIALCPA_HOME."


class HomeOccupied(ConfigurationError):
    """An authority would be made where one is already."""

    code = "home-occupied"
    sentence = "{path} already holds an authority, or the store it names does."
    hint_text = "Choose an empty folder and an empty store; an authority is never overwritten."


class StoreUrlUnusable(ConfigurationError):
    """The address of the register names no database that this authority can work with. It may hold a password."""

    code = "store-url-unusable"
    sentence = "The register cannot be opened where it is said to be: {detail}."
    hint_text = "Give sqlite:///PATH, or postgresql://USER@HOST/DATABASE, which needs pip install 'trialcpa[postgres]'."


class PlaceUnusable(ConfigurationError):
    """A file or folder of the authority's, or of whoever runs a command, cannot be read or written."""

    code = "place-unusable"
    sentence = "{path} cannot be used: {detail}."
    hint_text = "Name another place, or give the account that runs this the right to it."


class RendererUnfit(ConfigurationError):
    """Whoever draws evidence could reach what it should not."""

    code = "renderer-unfit"
    sentence = "The renderer behind {path} is unfit: {detail}."
    hint_text = 'Run it on a Linux kernel with seccomp or user namespaces, or say [renderer] listens = "none".'


class BackupLockUnusable(ConfigurationError):
    """What a backup is to be sealed or opened with is no recipient, no key or no passphrase."""

    code = "backup-lock-unusable"
    sentence = "The backup can be neither sealed nor opened: {detail}."
    hint_text = "A recipient is age1…, its key a file of age-keygen, a passphrase file:PATH, fd:N or prompt."


class BackupNotWritten(ConfigurationError):
    """The file of a backup cannot be written."""

    code = "backup-not-written"
    sentence = "The backup {path} was not written: {detail}."
    hint_text = "Nothing is left of it. Make room, or name a file that is not there yet, in a folder that is."


class KeyUnusable(ConfigurationError):
    """A private key cannot be opened, or is not kept as it must be."""

    code = "key-unusable"
    sentence = "The private key {path} cannot be used: {detail}."
    hint_text = "Check the passphrase and that the file is readable by its owner only (mode 0600)."


class PassphraseUnusable(ConfigurationError):
    """No passphrase can be had from where the settings say."""

    code = "passphrase-unusable"
    sentence = "The passphrase source {source} cannot be used: {detail}."
    hint_text = (
        "Name file:PATH (mode 0600), credential:NAME (in a unit of systemd that loads it), fd:N or prompt; never the "
        "command line or the environment."
    )


class ProfileInvalid(ConfigurationError):
    """Names, arc or public base that no certificate could be built on."""

    code = "profile-invalid"
    sentence = "{field} “{value}” cannot be used: {detail}."
    hint_text = "Mend it in the settings before the ceremony; afterwards it is fixed."


class ExampleArc(ConfigurationError):
    """A live authority under the object identifiers that are kept for documentation (RFC 5612)."""

    code = "example-arc"
    sentence = "The arc {arc} is for documentation and tests; a live authority needs its own."
    hint_text = "Set the arc that was assigned to the operator (a Private Enterprise Number or a national arc)."


class ExampleBaseUrl(ConfigurationError):
    """A live authority whose certificates would point at nobody."""

    code = "example-base-url"
    sentence = "The public base {base_url} leads nowhere from outside; a live authority needs its own."
    hint_text = "Set the address under which relying parties reach the service."


class PortTaken(ConfigurationError):
    """Somebody listens already where web would."""

    code = "port-taken"
    sentence = "Something listens on {host}:{port} already."
    hint_text = "Stop it, perhaps another authority, or choose another port with --port."


class PublishedDamaged(ConfigurationError):
    """What was published in a folder is not what was written there."""

    code = "published-damaged"
    sentence = "What was published is damaged: {detail}."
    hint_text = "Take the list from the service, under its number, or publish anew in an empty folder."


class ProxyUnfit(ConfigurationError):
    """The proxy before the process that answers for status does not do what that process rests upon."""

    code = "proxy-unfit"
    sentence = "The proxy on {host}:{port} is not fit for what is behind it: {detail}."
    hint_text = "Set it up as in deploy/nginx.conf, which hands on whole requests only."


class SchemaMismatch(ConfigurationError):
    """The store's schema is not the one this release works with."""

    code = "schema-mismatch"
    sentence = "The store is at revision {found}; this release needs {needed}."
    hint_text = "Run trialcpa store upgrade with the services stopped."


class ClockRefused(ConfigurationError):
    """The test clock was asked to do what a clock may not."""

    code = "clock-refused"
    sentence = "The clock was not moved: {detail}."
    hint_text = "Only a test authority's clock can be moved, and only forward."


class CarriedUnreadable(ConfigurationError):
    """A file that was carried to the root, or back, is none."""

    code = "carried-unreadable"
    sentence = "The file that was carried here cannot be read: {detail}."
    hint_text = "Carry it again, and compare its SHA-256 on both sides."


class RootRequestRefused(ConfigurationError):
    """The root's side does not sign what it was asked for."""

    code = "root-request-refused"
    sentence = "The request is not signed: {detail}."
    hint_text = "Nothing was signed. Find out who wrote it before another one is made."


class RootResponseRefused(ConfigurationError):
    """What came back from the root is not what this authority asked for."""

    code = "root-response-refused"
    sentence = "The response is not accepted: {detail}."
    hint_text = "Nothing was recorded. Carry the newest request to the root, and its response back."


class ToolsMissing(ConfigurationError):
    """Programs of other people that a command needs are not installed."""

    code = "tools-missing"
    sentence = "These programs are not installed: {missing}."
    hint_text = "On Debian: apt-get install {packages}"


class ProductionUnready(ConfigurationError):
    """The machine has not what each process of its own user needs."""

    code = "production-unready"
    sentence = "This machine is not ready for production: {detail}."
    hint_text = "Nothing was made. Make the users (deploy/systemd/trialcpa.sysusers) and run it as root."


class ExtraMissing(ConfigurationError):
    """A command needs Python packages that the service itself does without."""

    code = "extra-missing"
    sentence = "These Python packages are not installed: {missing}."
    hint_text = "Install the extra that brings them: pip install 'trialcpa[{extra}]'"


class StoryRefused(ConfigurationError):
    """The story cannot be played here."""

    code = "story-refused"
    sentence = "The story is not played: {detail}."
    hint_text = "It grants and revokes: play it in a test authority, which it makes itself in an empty --home DIR."


class ServiceRefused(ConfigurationError):
    """The service answered the command line with a problem document.

    The fields `problem` (its stable code), `detail` and `advice` are the service's own words; `status` is of HTTP.
    """

    code = "service-refused"
    sentence = "{detail}"
    hint_text = "{advice}"


class ServiceUnreachable(ConfigurationError):
    """The command line got no answer from the service."""

    code = "service-unreachable"
    sentence = "The service at {url} does not answer: {detail}."
    hint_text = "Check --url or TRIALCPA_URL, and that it runs; trialcpa status shows whether anything was done."


class ServiceAddressUnsafe(ConfigurationError):
    """An API key would be sent where others can read it."""

    code = "service-address-unsafe"
    sentence = "The service at {url} is not asked: {detail}."
    hint_text = "Name it with https://…, or with http://127.0.0.1:PORT on its own machine (--url or TRIALCPA_URL)."


class ServiceAnswerMalformed(ConfigurationError):
    """What answered the command line is not the service, or not of this release."""

    code = "service-answer-malformed"
    sentence = "The answer from {url} cannot be used: {detail}."
    hint_text = "Check that --url or TRIALCPA_URL names a Trial CPA authority."


class ApiKeyUnusable(ConfigurationError):
    """There is no file with an API key, or it is not kept as it must be."""

    code = "api-key-unusable"
    sentence = "The API key cannot be used: {detail}."
    hint_text = "Keep it, alone, in a file of mode 0600, and name that with --key-file or TRIALCPA_KEY_FILE."


class OfficerKeyUnusable(ConfigurationError):
    """There is no officer's own key to sign with, or it cannot be opened."""

    code = "officer-key-unusable"
    sentence = "Your own key cannot be used: {detail}."
    hint_text = (
        "Name its file or its pkcs11: URI with --officer-key or TRIALCPA_OFFICER_KEY (trialcpa officer key new makes "
        "one), and where its passphrase or PIN comes from with --officer-passphrase: file:PATH, fd:N or prompt."
    )


class OfficerKeyNotOnRoster(ConfigurationError):
    """A key that does not count for the authority that is asked."""

    code = "officer-key-not-on-roster"
    sentence = "The key {key} is not on this authority's roster of officers; nothing was signed."
    hint_text = (
        "Use the key that is (trialcpa officer key show prints which one it is), or have two officers put this one on "
        "the roster: trialcpa roster change."
    )


class TokenKeyMisnamed(ConfigurationError):
    """What names a key in a token is no PKCS#11 URI (RFC 7512) that names one."""

    code = "token-key-misnamed"
    sentence = "“{uri}” names no key in a token: {detail}."
    hint_text = "Name token and key, and quote it for the shell: 'pkcs11:token=Jane;object=jane.doe'."


class TokenModuleUnusable(ConfigurationError):
    """No PKCS#11 module is named, or it cannot be loaded."""

    code = "token-module-unusable"
    sentence = "The PKCS#11 module {module} cannot be used: {detail}."
    hint_text = (
        "Name the library that came with the token by --pkcs11-module or TRIALCPA_PKCS11_MODULE, or in the key's URI: "
        "?module-path=FILE."
    )


class TokenAbsent(ConfigurationError):
    """The token that is named is not there, or more than one is."""

    code = "token-absent"
    sentence = "The token {token} is not used: {detail}."
    hint_text = "Put it in, or name another one: token, serial, model or manufacturer in the key's URI."


class TokenPinWrong(ConfigurationError):
    """The token refused the PIN."""

    code = "token-pin-wrong"
    sentence = "The PIN of the token {token} is wrong."
    hint_text = "Look before you try again: a token counts wrong ones, and locks itself after a few."


class TokenPinLocked(ConfigurationError):
    """The token's PIN is locked, or was never set."""

    code = "token-pin-locked"
    sentence = "Nobody can log in to the token {token}: {detail}."
    hint_text = "Whoever has its security officer's PIN sets another one with the tool that came with the token."


class TokenPinAtRisk(ConfigurationError):
    """The token has counted wrong PINs, and nobody is there who types one: a wrong one more may lock it."""

    code = "token-pin-at-risk"
    sentence = "Nobody logs in to the token {token}: {detail}, and its PIN would not be typed by a person."
    hint_text = (
        "Log in to it once with the right PIN, by the tool that came with it: that takes the count back. Then see that "
        "the PIN that is kept for it is that one, and start again."
    )


NEEDS_A_PERSON = (TokenPinWrong, TokenPinLocked, TokenPinAtRisk)
"""What no trying again mends, and what trying again makes worse."""


class TokenKeyAbsent(ConfigurationError):
    """The token has no such key, or several."""

    code = "token-key-absent"
    sentence = "The token {token} does not have one private key {key}: {detail}."
    hint_text = "Name one that it has by object and id in the URI, or make one: trialcpa officer key new URI."


class TokenKeyUnusable(ConfigurationError):
    """A key in a token that is not of the kind that signs here, or not kept as it must be."""

    code = "token-key-unusable"
    sentence = "The key {key} in the token {token} is not used: {detail}."
    hint_text = "Make one that is P-256 and never leaves the token: trialcpa officer key new URI, under another name."


class TokenLacksMechanism(ConfigurationError):
    """A key is to be made in a token that does not do what the key is for. It is not made elsewhere instead."""

    code = "token-lacks-mechanism"
    sentence = "The token {token} makes no {kind} keys, as {key} is to be one: it lacks {missing}."
    hint_text = "Take a token that has it, or have this role's keys in files: leave it out of keys.in_token."


class TokenSilent(ConfigurationError):
    """The token did not answer in time."""

    code = "token-silent"
    sentence = "The token {token} did not answer within {seconds:g} seconds."
    hint_text = "What it was to sign is not signed. Take it out, put it in again, and give the command once more."


class TokenFailed(ConfigurationError):
    """The token or its module answered with something that cannot be used."""

    code = "token-failed"
    sentence = "The token {token} failed: {detail}."
    hint_text = "Nothing of it was used. Try again; if it stays, try the token with the tool that came with it."


class TokenOutOfUse(ConfigurationError):
    """A token with keys of the authority cannot be used at this moment; it is opened again as soon as it can be.

    `detail` is the error that is why, or words. After a PIN that was refused nothing is tried again.
    """

    code = "token-out-of-use"
    sentence = "The token {token} is out of use: {detail}"
    hint_text = (
        "Nothing is signed with its keys. It is tried again by itself, but for a PIN that was refused or is locked; "
        "docs/keys.md says what to look at."
    )

    @property
    def hint(self) -> str:
        """What to do next: for what a person alone can mend, that."""
        why = self.fields["detail"]
        return f"{why.hint} Then start the authority again." if isinstance(why, NEEDS_A_PERSON) else super().hint


class AuthorityDiffers(ConfigurationError):
    """The service is not that of the authority whose root an officer holds."""

    code = "authority-differs"
    sentence = "The service speaks for another authority than your root's: {detail}; nothing was signed."
    hint_text = "Check --url and --root. If both are right, somebody stands between: tell the authority's operator."


class KeysOfTwo(ConfigurationError):
    """An officer works with one person's API key and signs with another's own key."""

    code = "keys-of-two"
    sentence = "Your API key is {person}'s and your own key is {officer}'s: {decision} was proposed and not signed for."
    hint_text = "Give the key of {person} with --officer-key: trialcpa decide authorise {decision}."


class ShownOtherwise(ConfigurationError):
    """What a service shows of a decision is not what its bytes say."""

    code = "shown-otherwise"
    sentence = "What is shown of {subject} is not what its bytes say: {detail}; nothing was signed."
    hint_text = (
        "Do not sign it. Somebody changed the register or the service: tell the authority's operator and the other "
        "officers by other means."
    )


class QuestionUnanswered(ConfigurationError):
    """A command asked something, and what it reads from ended before an answer came."""

    code = "question-unanswered"
    sentence = "There was no answer to “{question}”."
    hint_text = "It was not done. Run it at a terminal{instead}."


class InputUnusable(ConfigurationError):
    """A file that a person handed to the command line cannot be used; everything wrong with it is told at once."""

    code = "input-unusable"
    sentence = "{path} cannot be used: {detail}"
    hint_text = "Mend that and run the command again; nothing was sent."


class NotCleared(IntegrityError):
    """A signer was handed bytes that were not linted as exactly these bytes."""

    code = "not-cleared"
    sentence = "The bytes to be signed under serial {serial} are not the bytes that were cleared."
    hint_text = "Nothing was signed. This is a fault of ours: keep the log and report it."


class AlreadySpent(IntegrityError):
    """A draft is signed once; a second use is refused."""

    code = "draft-spent"
    sentence = "The draft {serial} has already been signed."
    hint_text = "Nothing was signed again. This is a fault of ours: keep the log and report it."


class DraftImpossible(IntegrityError):
    """An order that cannot be put into a certificate; the rules should have refused it long before."""

    code = "draft-impossible"
    sentence = "The certificate for {subject} cannot be drafted: {detail}."
    hint_text = "Nothing was signed. The rules let something through: keep the log and report it."


class IssuerMismatch(IntegrityError):
    """The key, the name or the key identifier is not that of the certificate in whose name is signed."""

    code = "issuer-mismatch"
    sentence = "{serial} cannot be signed: {detail}."
    hint_text = "Nothing was signed. Compare the key files with the authority's certificates."


class OutlivesIssuer(IntegrityError):
    """What is to be signed is valid at a time when its issuer is not."""

    code = "outlives-issuer"
    sentence = "{serial} would be valid from {not_before} to {not_after}; its issuer is from {begins} to {ends}."
    hint_text = "Nothing was signed. Make a new issuing CA before the old one is too short."


class SignatureWrong(IntegrityError):
    """A signature that was just made does not verify: the key's keeper is broken."""

    code = "signature-wrong"
    sentence = "The signature made for {serial} does not verify."
    hint_text = "Nothing was published. Check the key store or the machine's memory."


class DraftContradicted(IntegrityError):
    """What the store says of a draft does not hold together; it is not signed."""

    code = "draft-contradicted"
    sentence = "The draft {serial} is not signed: {detail}."
    hint_text = "Compare decision, draft and journal; somebody may have changed the store."


class DecisionIncomplete(IntegrityError):
    """A decision on record names nothing where every decision of its kind names what it is about."""

    code = "decision-incomplete"
    sentence = "The decision {identifier} to {kind} names no {missing}."
    hint_text = "Nothing was done. Compare decision and journal; somebody may have changed the store."


class PublicationRefused(IntegrityError):
    """The publish gate refused a list; the last good one stays."""

    code = "publication-refused"
    sentence = "CRL number {number} was not published: {detail}"
    hint_text = "The last good list stays in place; compare it with the register before anything else."


class StoreWentBack(IntegrityError):
    """The register is older than what the authority process has sealed before: a backup was put back."""

    code = "store-went-back"
    sentence = "The register ends at journal row {found}; this authority has sealed up to row {sealed} before."
    hint_text = (
        "If a backup was put back on purpose, run trialcpa store accept-restore: it shows what was lost, and enters "
        "that again."
    )


class JournalChanged(IntegrityError):
    """A row of the journal does not say what its link says."""

    code = "journal-changed"
    sentence = "Row {number} of the journal is missing, or is not what was sealed."
    hint_text = "Somebody changed the register. No head is signed over it; compare it with an earlier export."


class BackupUnusable(IntegrityError):
    """A backup that is cut, damaged, of another form, revision or authority; nothing of it is put anywhere."""

    code = "backup-unusable"
    sentence = "The backup {path} cannot be used: {detail}."
    hint_text = "Nothing was written. Take another backup; trialcpa backup verify says what one proves."


class RestoreNotAccepted(IntegrityError):
    """A backup was put back, and nobody has said yet that it is to go on from there."""

    code = "restore-not-accepted"
    sentence = "This authority was restored from a backup made at {made_at}; what it signed since, it does not know."
    hint_text = (
        "Nothing is signed. Run trialcpa store accept-restore, with the published lists, certificates and journals "
        "that there are: --from FILE."
    )


class HandedIn(IntegrityError):
    """A file that was handed in after a restore proves nothing of this authority."""

    code = "handed-in-unproved"
    sentence = "{file} cannot be taken in: {detail}."
    hint_text = "Nothing was changed. Only what our own keys have signed counts; leave the file out, or find another."


class RestoreIncomplete(IntegrityError):
    """Something that was signed would be forgotten if the restore were accepted now."""

    code = "restore-incomplete"
    sentence = "The restore cannot be accepted yet: {detail}."
    hint_text = "Nothing was changed. Hand in what is missing with --from FILE: Manufacturers and mirrors have it."


class MemoryMissing(IntegrityError):
    """Keys without a memory: the authority signs nothing until it is given one."""

    code = "memory-missing"
    sentence = "The authority has no memory of what it has signed: there is none in {path}."
    hint_text = (
        "If it was lost, put it back from the backup of the folder of the keys. An authority that never had one begins "
        "with trialcpa memory begin."
    )


class MemoryUnusable(IntegrityError):
    """The memory cannot be read or written, or is not as it was sealed."""

    code = "memory-unusable"
    sentence = "The authority's memory {path} cannot be used: {detail}."
    hint_text = "Nothing was signed. Put the file back from the backup of the folder of the keys, with its key."


class MemoryBegun(IntegrityError):
    """An authority that remembers already does not begin once more: it would forget."""

    code = "memory-begun"
    sentence = "This authority has begun to remember already: {detail}."
    hint_text = (
        "Nothing was changed. If its memory was lost, put memory.key and memory.sqlite back from the backup of the "
        "folder of the keys: what they lack they take from the register."
    )


class RegisterUnproved(IntegrityError):
    """Something in the register does not follow from the authority's own keys; it does not begin to believe it."""

    code = "register-unproved"
    sentence = "The register cannot be proved: {detail}."
    hint_text = "Nothing was changed. Somebody may have changed the register; compare it with a backup."


class MemoryFull(IntegrityError):
    """There is no room to remember what is to be signed; so it is not."""

    code = "memory-full"
    sentence = "There is no room on the disk of {path}: what has to be remembered first is not signed."
    hint_text = "Make room. Answers are renewed meanwhile, and a reserve was kept for ends and lists."


class MemoryContradicted(IntegrityError):
    """Something that was to be signed contradicts what the authority remembers."""

    code = "memory-contradicted"
    sentence = "Not signed: {what} contradicts what this authority remembers: {detail}."
    hint_text = (
        "Somebody changed the register, or a backup was put back. Compare it with the journal before anything else."
    )


class MemoryForked(IntegrityError):
    """Two processes of one authority remember what cannot both be."""

    code = "memory-forked"
    sentence = "Another process of this authority remembers otherwise: {detail}"
    hint_text = (
        "Nothing is signed by this one. Compare both memories (trialcpa memory show) before one of them goes on."
    )


class RosterUnusable(Refusal):
    """What was given cannot be a roster of officers."""

    code = "roster-unusable"
    sentence = "That cannot be the roster of officers: {detail}."
    hint_text = "Give two officers or more, each with the public key (PEM, P-256) that trialcpa officer key new wrote."


class RosterStatementRefused(Refusal):
    """What was handed in as the root's word on officers' keys does not count."""

    code = "roster-statement-refused"
    sentence = "The roster statement is not accepted: {detail}."
    hint_text = (
        "Have it made anew where the root's key lies: trialcpa roster statement, for the authority and the number that "
        "trialcpa roster show names."
    )


class OrderRefused(Refusal):
    """Officers' order to the authority that cannot be carried out as things are."""

    code = "order-refused"
    sentence = "That is not ordered: {detail}."
    hint_text = "Look at what stands now (trialcpa roster show, trialcpa order list) and order it anew."


class LeaseHeld(IntegrityError):
    """An authority process works on the register; what needs it to stand still does not begin."""

    code = "lease-held"
    sentence = "An authority process works on the store, or has worked since this began."
    hint_text = "Nothing was changed. Stop the authority (trialcpa serve, or its service) and try again."


class MemoryBehind(IntegrityError):
    """The register has what our key has signed since: this memory does not know what that was."""

    code = "memory-behind"
    sentence = (
        "The authority's memory is older than what it has signed: the journal has a signed head for row {signed}, and "
        "row {remembered} is the last that is remembered."
    )
    hint_text = (
        "Nothing is signed, and the register's copy does not say what is missing. Put back the newest memory.sqlite "
        "that there is. If it is lost, take this one away and let trialcpa memory begin prove the register anew: it "
        "refuses while the register holds a copy of a memory."
    )


class LeaseLost(IntegrityError):
    """Another authority process holds the lease; this one may not sign."""

    code = "lease-lost"
    sentence = "Another authority process holds the lease on the store."
    hint_text = "Nothing was signed. This process waits for its turn."
