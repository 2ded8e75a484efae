import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.management.OperatingSystemMXBean;
import java.io.StringReader;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntUnaryOperator;
import org.kie.api.io.Resource;
import org.kie.dmn.api.core.DMNContext;
import org.kie.dmn.api.core.DMNModel;
import org.kie.dmn.api.core.DMNRuntime;
import org.kie.dmn.core.internal.utils.DMNRuntimeBuilder;
import org.kie.internal.io.ResourceFactory;

/**
 * Drools' engine for DMN: Peers RULES
 *
 * RULES has what rules.py wrote, and cases.json. Prints one object of JSON.
 */
public class Peers {
  public static void main(String[] arguments) throws Exception {
    Path rules = Path.of(arguments[0]);
    ObjectMapper json = new ObjectMapper();
    JsonNode rule = json.readTree(rules.resolve("rule.json").toFile());
    JsonNode cases = json.readTree(rules.resolve("cases.json").toFile());

    Resource text =
        ResourceFactory.newReaderResource(
            new StringReader(Files.readString(rules.resolve("stars.dmn"))));
    text.setSourcePath("stars.dmn");
    DMNRuntime runtime =
        DMNRuntimeBuilder.fromDefaults()
            .buildConfiguration()
            .fromResources(List.of(text))
            .getOrElseThrow(RuntimeException::new);
    DMNModel model = runtime.getModels().get(0);

    List<DMNContext> contexts = new ArrayList<>();
    for (JsonNode one : cases) contexts.add(given(runtime.newContext(), rule, one));
    IntUnaryOperator decide =
        i -> {
          Object stars =
              runtime
                  .evaluateByName(model, contexts.get(i).clone(), "stars")
                  .getDecisionResultByName("stars")
                  .getResult();
          return stars == null ? -1 : ((Number) stars).intValue();
        };

    int agreed = 0;
    for (int i = 0; i < cases.size(); i++) {
      if (decide.applyAsInt(i) == cases.get(i).get("stars").asInt()) agreed++;
    }
    // The first three turns are what the compiler learns from.
    double[] rates = new double[6];
    for (int i = 0; i < rates.length && agreed == cases.size(); i++) {
      rates[i] = turn(decide, cases.size());
    }
    double[] warm = Arrays.copyOfRange(rates, 3, rates.length);
    Arrays.sort(warm);
    System.out.printf(
        "{\"peer\": \"KIE DMN\", \"agreed\": %d, \"cases\": %d, \"decisions_per_second\": %.1f}%n",
        agreed, cases.size(), warm[1]);
  }

  /** Levels, and shares or null. */
  private static DMNContext given(DMNContext context, JsonNode rule, JsonNode one) {
    for (JsonNode name : rule.get("judgements")) {
      context.set(name.asText(), one.get(name.asText()).asInt());
    }
    for (JsonNode name : rule.get("indicators")) {
      JsonNode ratio = one.get(name.asText());
      context.set(
          name.asText(),
          ratio.isNull() ? null : ratio.get(0).asDouble() / ratio.get(1).asDouble());
    }
    return context;
  }

  /** Decisions in a second of a core, over all cases again and again for two of them. */
  private static double turn(IntUnaryOperator decide, int count) {
    double begun = used();
    int done = 0;
    while (used() - begun < 2) {
      for (int i = 0; i < 100; i++) decide.applyAsInt(done++ % count);
    }
    return done / (used() - begun);
  }

  /** Seconds of a core that the process has used. */
  private static double used() {
    return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
            .getProcessCpuTime()
        / 1e9;
  }
}
