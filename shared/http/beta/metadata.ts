import type { Answer } from "../handler.js";

/**
 * What the mirror serves below `/beta`, as an OData CSDL document in XML: `GET /api/beta/$metadata`. Names are those of
 * Graph's own document. Types are open, since the mirror passes on every property that Graph gave. Values that Graph
 * declares as enumerations are text, since a member that Graph adds must not make an answer unreadable. `userId` is ours: it
 * stands in answers about all mailboxes. So is the annotation of a new subscription.
 * @see https://docs.oasis-open.org/odata/odata-csdl-xml/v4.01/odata-csdl-xml-v4.01.html
 * @internal For tests.
 */
export const metadataXml = `<?xml version="1.0" encoding="utf-8"?>
<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx">
  <edmx:DataServices>
    <Schema Namespace="microsoft.graph" Alias="graph" xmlns="http://docs.oasis-open.org/odata/ns/edm">
      <EntityType Name="entity" Abstract="true">
        <Key>
          <PropertyRef Name="id" />
        </Key>
        <Property Name="id" Type="Edm.String" Nullable="false" />
      </EntityType>
      <EntityType Name="user" BaseType="graph.entity" OpenType="true">
        <Property Name="userId" Type="Edm.String" />
        <NavigationProperty Name="calendar" Type="graph.calendar" ContainsTarget="true" />
        <NavigationProperty Name="calendarGroups" Type="Collection(graph.calendarGroup)" ContainsTarget="true" />
        <NavigationProperty Name="calendars" Type="Collection(graph.calendar)" ContainsTarget="true" />
      </EntityType>
      <EntityType Name="calendar" BaseType="graph.entity" OpenType="true">
        <Property Name="allowedOnlineMeetingProviders" Type="Collection(Edm.String)" />
        <Property Name="calendarGroupId" Type="Edm.String" />
        <Property Name="canEdit" Type="Edm.Boolean" />
        <Property Name="canShare" Type="Edm.Boolean" />
        <Property Name="canViewPrivateItems" Type="Edm.Boolean" />
        <Property Name="changeKey" Type="Edm.String" />
        <Property Name="color" Type="Edm.String" />
        <Property Name="defaultOnlineMeetingProvider" Type="Edm.String" />
        <Property Name="hexColor" Type="Edm.String" />
        <Property Name="isDefaultCalendar" Type="Edm.Boolean" />
        <Property Name="isRemovable" Type="Edm.Boolean" />
        <Property Name="isShared" Type="Edm.Boolean" />
        <Property Name="isSharedWithMe" Type="Edm.Boolean" />
        <Property Name="isTallyingResponses" Type="Edm.Boolean" />
        <Property Name="name" Type="Edm.String" />
        <Property Name="owner" Type="graph.emailAddress" />
        <Property Name="userId" Type="Edm.String" />
      </EntityType>
      <EntityType Name="calendarGroup" BaseType="graph.entity" OpenType="true">
        <NavigationProperty Name="calendars" Type="Collection(graph.calendar)" ContainsTarget="true" />
      </EntityType>
      <EntityType Name="subscription" BaseType="graph.entity">
        <Property Name="applicationId" Type="Edm.String" />
        <Property Name="changeType" Type="Edm.String" Nullable="false" />
        <Property Name="clientState" Type="Edm.String" />
        <Property Name="creatorId" Type="Edm.String" />
        <Property Name="encryptionCertificate" Type="Edm.String" />
        <Property Name="encryptionCertificateId" Type="Edm.String" />
        <Property Name="expirationDateTime" Type="Edm.DateTimeOffset" Nullable="false" />
        <Property Name="includeResourceData" Type="Edm.Boolean" />
        <Property Name="latestSupportedTlsVersion" Type="Edm.String" />
        <Property Name="lifecycleNotificationUrl" Type="Edm.String" />
        <Property Name="notificationContentType" Type="Edm.String" />
        <Property Name="notificationQueryOptions" Type="Edm.String" />
        <Property Name="notificationUrl" Type="Edm.String" Nullable="false" />
        <Property Name="notificationUrlAppId" Type="Edm.String" />
        <Property Name="resource" Type="Edm.String" Nullable="false" />
      </EntityType>
      <ComplexType Name="emailAddress" OpenType="true">
        <Property Name="address" Type="Edm.String" />
        <Property Name="name" Type="Edm.String" />
      </ComplexType>
      <Function Name="delta" IsBound="true" EntitySetPath="bindingParameter">
        <Parameter Name="bindingParameter" Type="Collection(graph.calendar)" Nullable="false" />
        <ReturnType Type="Collection(graph.calendar)" Nullable="false" />
      </Function>
      <Function Name="getAllCalendars" IsBound="true" IsComposable="true" EntitySetPath="bindingParameter/calendars">
        <Parameter Name="bindingParameter" Type="Collection(graph.user)" Nullable="false" />
        <ReturnType Type="Collection(graph.calendar)" Nullable="false" />
      </Function>
      <Action Name="reauthorize" IsBound="true">
        <Parameter Name="bindingParameter" Type="graph.subscription" Nullable="false" />
      </Action>
      <EntityContainer Name="GraphService">
        <EntitySet Name="subscriptions" EntityType="graph.subscription" />
        <EntitySet Name="users" EntityType="graph.user" />
        <Singleton Name="me" Type="graph.user" />
      </EntityContainer>
    </Schema>
    <Schema Namespace="calendarMirror" xmlns="http://docs.oasis-open.org/odata/ns/edm">
      <Term Name="signingSecret" Type="Edm.String" AppliesTo="EntityType" />
      <Term Name="missedDateTime" Type="Edm.DateTimeOffset" AppliesTo="EntityType" />
    </Schema>
  </edmx:DataServices>
</edmx:Edmx>
`;

/** `GET /api/beta/$metadata`. */
export const metadataAnswer: Answer = {
  status: 200,
  headers: {
    "content-type": "application/xml;charset=utf-8",
    "odata-version": "4.0",
    "cache-control": "private, no-cache",
  },
  body: metadataXml,
};
