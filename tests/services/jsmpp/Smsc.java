import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import org.jsmpp.SMPPConstant;
import org.jsmpp.bean.*;
import org.jsmpp.extra.ProcessRequestException;
import org.jsmpp.session.*;
import org.jsmpp.session.connection.ServerConnection;
import org.jsmpp.session.connection.ServerConnectionFactory;
import org.jsmpp.session.connection.socket.ServerSocketConnection;
import org.jsmpp.util.MessageId;

/**
 * A centre on jSMPP: `java -cp 'jars/*' Smsc.java PORT PASSWORD`. After a bind it brings the lines of its standard
 * input, each "SOURCE ESM_CLASS DATA_CODING HEX", and prints "brought" once each is acknowledged. It prints what it takes as
 * "taken DESTINATION DATA_CODING HEX", answers an id in hex, and then brings a receipt with the id in decimal.
 */
class Smsc {
  static final AtomicLong last = new AtomicLong(0xA0000000L);
  static final ExecutorService receipts = Executors.newCachedThreadPool();

  public static void main(String[] args) throws Exception {
    var listener = new SMPPServerSessionListener(Integer.parseInt(args[0]), 60000, new Loopback());
    System.out.println("listening");
    while (true) {
      var session = listener.accept();
      session.setMessageReceiverListener(new Taker());
      receipts.submit(() -> { serve(session, args[1]); return null; });
    }
  }

  static void serve(SMPPServerSession session, String password) throws Exception {
    var bind = session.waitForBind(5000);
    if (!bind.getPassword().equals(password)) {
      bind.reject(SMPPConstant.STAT_ESME_RINVPASWD);
      return;
    }
    bind.accept("jsmpp", InterfaceVersion.IF_34);
    System.out.println("bound");
    if (bind.getBindType() == BindType.BIND_TX) return;
    var input = new java.io.BufferedReader(new java.io.InputStreamReader(System.in));
    for (String line; (line = input.readLine()) != null; ) {
      var words = line.split(" ", -1);
      bring(session, words[0], Integer.parseInt(words[1]), Integer.parseInt(words[2]), bytes(words[3]));
      System.out.println("brought");
    }
  }

  static void bring(SMPPServerSession session, String source, int esmClass, int coding, byte[] text) throws Exception {
    session.deliverShortMessage("", TypeOfNumber.INTERNATIONAL, NumberingPlanIndicator.ISDN, source,
        TypeOfNumber.NETWORK_SPECIFIC, NumberingPlanIndicator.UNKNOWN, "1708", new ESMClass(esmClass), (byte) 0, (byte) 0,
        new RegisteredDelivery(0), DataCodings.newInstance((byte) coding), text);
  }

  static byte[] bytes(String hex) {
    return java.util.HexFormat.of().parseHex(hex);
  }

  static class Taker implements ServerMessageReceiverListener {
    public SubmitSmResult onAcceptSubmitSm(SubmitSm sm, SMPPServerSession session) throws ProcessRequestException {
      long id = last.incrementAndGet();
      var text = java.util.HexFormat.of().formatHex(sm.getShortMessage());
      System.out.println("taken " + sm.getDestAddress() + " " + sm.getDataCoding() + " " + text);
      var form = "id:%010d sub:001 dlvrd:001 submit date:2508180855 done date:2508180857 stat:DELIVRD err:000 text:";
      var receipt = String.format(form, id).getBytes(StandardCharsets.US_ASCII);
      receipts.submit(() -> {
        Thread.sleep(100);
        bring(session, sm.getDestAddress(), 4, 0, receipt);
        return null;
      });
      try {
        return new SubmitSmResult(new MessageId(Long.toHexString(id).toUpperCase()), new OptionalParameter[0]);
      } catch (org.jsmpp.PDUStringException e) {
        throw new ProcessRequestException(e.getMessage(), SMPPConstant.STAT_ESME_RSYSERR);
      }
    }

    public SubmitMultiResult onAcceptSubmitMulti(SubmitMulti m, SMPPServerSession s) { return null; }
    public QuerySmResult onAcceptQuerySm(QuerySm m, SMPPServerSession s) { return null; }
    public void onAcceptReplaceSm(ReplaceSm m, SMPPServerSession s) { }
    public void onAcceptCancelSm(CancelSm m, SMPPServerSession s) { }
    public BroadcastSmResult onAcceptBroadcastSm(BroadcastSm m, SMPPServerSession s) { return null; }
    public void onAcceptCancelBroadcastSm(CancelBroadcastSm m, SMPPServerSession s) { }
    public QueryBroadcastSmResult onAcceptQueryBroadcastSm(QueryBroadcastSm m, SMPPServerSession s) { return null; }
    public DataSmResult onAcceptDataSm(DataSm m, Session s) { return null; }
  }

  static class Loopback implements ServerConnectionFactory {
    public ServerConnection listen(int port) throws IOException { return listen(port, 0, 5); }
    public ServerConnection listen(int port, int timeout) throws IOException { return listen(port, timeout, 5); }
    public ServerConnection listen(int port, int timeout, int backlog) throws IOException {
      var socket = new ServerSocket(port, backlog, InetAddress.getLoopbackAddress());
      socket.setSoTimeout(timeout);
      return new ServerSocketConnection(socket);
    }
  }
}
