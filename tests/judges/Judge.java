import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertStore;
import java.security.cert.CertificateFactory;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXParameters;
import java.security.cert.PKIXRevocationChecker;
import java.security.cert.PKIXRevocationChecker.Option;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Date;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What Java's own validator says of a Trial CPA Certificate, by the lists and by an OCSP answer.
 *
 * java Judge.java FOLDER NAME SECONDS (since 1970) prints two lines, “good” or the reason of the refusal in each.
 */
class Judge {
    private static Path folder;
    private static CertificateFactory factory;

    public static void main(String[] words) throws Exception {
        folder = Path.of(words[0]);
        factory = CertificateFactory.getInstance("X.509");
        Date at = Date.from(Instant.ofEpochSecond(Long.parseLong(words[2])));
        X509Certificate leaf = certificate(words[1] + ".der");
        System.out.println("lists: " + judged(leaf, at, null));
        System.out.println("answer: " + judged(leaf, at, bytes(words[1] + ".sha1.ocsp")));
    }

    /** By both lists along the whole chain; by the answer, which speaks of the certificate alone. */
    private static String judged(X509Certificate leaf, Date at, byte[] answer) throws Exception {
        CertPathValidator validator = CertPathValidator.getInstance("PKIX");
        PKIXRevocationChecker checker = (PKIXRevocationChecker) validator.getRevocationChecker();
        PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(certificate("root.der"), null)));
        parameters.setDate(at);
        if (answer == null) {
            checker.setOptions(EnumSet.of(Option.PREFER_CRLS, Option.NO_FALLBACK));
            var lists = List.of(list("issuing.crl"), list("root.crl"));
            parameters.addCertStore(CertStore.getInstance("Collection", new CollectionCertStoreParameters(lists)));
        } else {
            checker.setOptions(EnumSet.of(Option.ONLY_END_ENTITY, Option.NO_FALLBACK));
            checker.setOcspResponses(Map.of(leaf, answer));
        }
        parameters.addCertPathChecker(checker);
        try {
            validator.validate(factory.generateCertPath(List.of(leaf, certificate("issuing.der"))), parameters);
            return "good";
        } catch (CertPathValidatorException refused) {
            return refused.getReason() + ": " + refused.getMessage();
        }
    }

    private static byte[] bytes(String name) throws Exception {
        return Files.readAllBytes(folder.resolve(name));
    }

    private static X509Certificate certificate(String name) throws Exception {
        return (X509Certificate) factory.generateCertificate(new ByteArrayInputStream(bytes(name)));
    }

    private static java.security.cert.CRL list(String name) throws Exception {
        return factory.generateCRL(new ByteArrayInputStream(bytes(name)));
    }
}
